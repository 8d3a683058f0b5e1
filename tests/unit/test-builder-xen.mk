# Xen's own domain builder, of libxen-dev, as the oracle.  It has functions of
# the same names as ours (elf_init), which must not take each other's place.
OBJS_test-builder-xen := $(B)/obj/tests/unit/make-elf.o
ARGS_test-builder-xen := -Wl,--exclude-libs,ALL -lxenguest -lxenctrl

OBJS_test-image := $(B)/obj/tests/unit/make-elf.o

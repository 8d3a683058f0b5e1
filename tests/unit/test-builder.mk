OBJS_test-builder := $(B)/obj/tests/unit/make-elf.o

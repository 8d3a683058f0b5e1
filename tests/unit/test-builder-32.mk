OBJS_test-builder-32 := $(B)/obj/tests/unit/make-elf.o

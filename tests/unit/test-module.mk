OBJS_test-module := $(B)/obj/tests/unit/make-elf.o

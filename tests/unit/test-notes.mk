OBJS_test-notes := $(B)/obj/tests/unit/make-elf.o

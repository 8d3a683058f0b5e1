OBJS_test-boot := $(B)/obj/tests/unit/make-elf.o

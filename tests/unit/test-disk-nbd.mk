OBJS_test-disk-nbd := $(B)/obj/tests/unit/disk-test.o

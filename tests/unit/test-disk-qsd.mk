OBJS_test-disk-qsd := $(B)/obj/tests/unit/disk-test.o

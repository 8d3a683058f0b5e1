OBJS_test-disk-raw := $(B)/obj/tests/unit/disk-test.o
-include $(B)/obj/tests/unit/disk-test.d

OBJS_test-nbd-names := $(B)/obj/tests/unit/disk-test.o

OBJS_test-disk-vhost := $(B)/obj/tests/unit/disk-test.o

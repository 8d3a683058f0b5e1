$(B)/obj/tests/unit/test-machine.o: tests/unit/machine-payload.s

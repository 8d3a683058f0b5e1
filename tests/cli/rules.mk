# Guests of the command-line tests: tests/cli/guests/NAME.c becomes
# $(B)/guests/cli/NAME.elf, with the library of the micro guests.

CLI_GUESTS := $(patsubst tests/cli/guests/%.c,$(B)/guests/cli/%.elf,$(sort $(wildcard tests/cli/guests/*.c)))
CHECK_NEEDS += $(CLI_GUESTS)

$(B)/guests/cli/%.o: tests/cli/guests/%.c
	@mkdir -p $(@D)
	$(CC) $(MICRO_CPPFLAGS) -I$(MICRO)/lib/x86_64 $(MICRO_CFLAGS) $(MICRO_FLAGS_64) -MMD -MP -c -o $@ $<

$(B)/guests/cli/%.elf: $(B)/guests/cli/%.o $(MICRO_LIB_64) $(MICRO)/lib/guest.ld
	$(CC) $(MICRO_FLAGS_64) $(MICRO_LDFLAGS) -T $(MICRO)/lib/guest.ld \
		-Wl,--defsym,VIRT_BASE=$(MICRO_VIRT_BASE_64) -o $@ $< $(MICRO_LIB_64)

cli-guests: $(CLI_GUESTS)

.PHONY: cli-guests
.SECONDARY: $(CLI_GUESTS:.elf=.o)

-include $(CLI_GUESTS:.elf=.d)

# Micro guests: each guest-images/micro/NAME.c with the library in micro/lib/
# becomes $(B)/guests/NAME.elf, a tiny PV kernel.  Never sanitized: nothing but
# Xen's interface is below them.

MICRO := guest-images/micro
MICRO_NAMES := $(patsubst $(MICRO)/%.c,%,$(sort $(wildcard $(MICRO)/*.c)))
GUESTS := $(MICRO_NAMES:%=$(B)/guests/%.elf)

MICRO_CPPFLAGS := -D__XEN_INTERFACE_VERSION__=0x00040e00 -I$(MICRO)/lib
MICRO_CFLAGS := -std=gnu11 -O2 -g $(WARN) -ffreestanding -fno-builtin \
	-fno-stack-protector -fno-pic -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -fcf-protection=none -mgeneral-regs-only
MICRO_LDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=none \
	-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments

# One word size so far; another is another set of these and another $(B)/guests
# directory.
MICRO_ARCH := x86_64
MICRO_ARCH_CFLAGS := -m64 -mno-red-zone -mcmodel=kernel -fno-pic -I$(MICRO)/lib/$(MICRO_ARCH)
MICRO_VIRT_BASE := 0xffffffff80000000

MICRO_LIB := $(B)/guests/obj/libmicro.a
MICRO_LIB_SRC := $(sort $(wildcard $(MICRO)/lib/*.c $(MICRO)/lib/$(MICRO_ARCH)/*.[cS]))
MICRO_LIB_OBJ := $(addsuffix .o,$(MICRO_LIB_SRC:$(MICRO)/%=$(B)/guests/obj/%))

$(B)/guests/obj/%.c.o: $(MICRO)/%.c
	@mkdir -p $(@D)
	$(CC) $(MICRO_CPPFLAGS) $(MICRO_CFLAGS) $(MICRO_ARCH_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/guests/obj/%.S.o: $(MICRO)/%.S
	@mkdir -p $(@D)
	$(CC) $(MICRO_CPPFLAGS) $(MICRO_ARCH_CFLAGS) -g -MMD -MP -c -o $@ $<

$(MICRO_LIB): $(MICRO_LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/guests/%.elf: $(B)/guests/obj/%.c.o $(MICRO_LIB) $(MICRO)/lib/guest.ld
	$(CC) $(MICRO_ARCH_CFLAGS) $(MICRO_LDFLAGS) -T $(MICRO)/lib/guest.ld \
		-Wl,--defsym,VIRT_BASE=$(MICRO_VIRT_BASE) -o $@ $< $(MICRO_LIB)

guests: $(GUESTS)

.PHONY: guests
.SECONDARY: $(MICRO_LIB_OBJ)

-include $(MICRO_LIB_OBJ:.o=.d) $(MICRO_NAMES:%=$(B)/guests/obj/%.c.d)

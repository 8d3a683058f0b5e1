# Micro guests: each guest-images/micro/NAME.c with the library in micro/lib/
# becomes $(B)/guests/NAME.elf, a tiny PV kernel; those that run on 32 bits, too,
# $(B)/guests/x86_32p/NAME.elf (PAE) and $(B)/guests/x86_32/NAME.elf (two-level).
# Never sanitized: nothing but Xen's interface is below them.

MICRO := guest-images/micro
MICRO_NAMES := $(patsubst $(MICRO)/%.c,%,$(sort $(wildcard $(MICRO)/*.c)))
# SYSCALL and SYSENTER, a user root, today's hypercall page and XSAVE are for 64-bit guests.
MICRO_NAMES_32 := $(filter-out syscall-callback sysenter crash-no-user-root hypercall-page xsave, \
	$(MICRO_NAMES))
GUESTS :=

MICRO_CPPFLAGS := -D__XEN_INTERFACE_VERSION__=0x00040e00 -I$(MICRO)/lib
MICRO_CFLAGS := -std=gnu11 -O2 -g $(WARN) -ffreestanding -fno-builtin \
	-fno-stack-protector -fno-pic -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -fcf-protection=none -mgeneral-regs-only
MICRO_LDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=none \
	-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments

# $(call micro,ARCH,SOURCES,SUBDIRECTORY,NAMES,CFLAGS,VIRT_BASE): rules for a word
# size, whose sources are in lib/SOURCES and whose guests are in
# $(B)/guests/SUBDIRECTORY
define micro
MICRO_OBJ_$(1) := $(B)/guests/obj/$(1)
MICRO_LIB_OBJ_$(1) := $$(patsubst $(MICRO)/%,$$(MICRO_OBJ_$(1))/%.o, \
	$$(sort $$(wildcard $(MICRO)/lib/*.c $(MICRO)/lib/$(2)/*.[cS])))
GUESTS += $(4:%=$(B)/guests/$(3)%.elf)

$$(MICRO_OBJ_$(1))/%.c.o: $(MICRO)/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(MICRO_CPPFLAGS) -I$(MICRO)/lib/$(2) $$(MICRO_CFLAGS) $(5) -MMD -MP -c -o $$@ $$<

$$(MICRO_OBJ_$(1))/%.S.o: $(MICRO)/%.S
	@mkdir -p $$(@D)
	$$(CC) $$(MICRO_CPPFLAGS) $(5) -g -MMD -MP -c -o $$@ $$<

$$(MICRO_OBJ_$(1))/libmicro.a: $$(MICRO_LIB_OBJ_$(1))
	@rm -f $$@
	ar rcs $$@ $$^

$(4:%=$(B)/guests/$(3)%.elf): $(B)/guests/$(3)%.elf: $$(MICRO_OBJ_$(1))/%.c.o \
		$$(MICRO_OBJ_$(1))/libmicro.a $(MICRO)/lib/guest.ld
	@mkdir -p $$(@D)
	$$(CC) $(5) $$(MICRO_LDFLAGS) -T $(MICRO)/lib/guest.ld \
		-Wl,--defsym,VIRT_BASE=$(6) -o $$@ $$< $$(MICRO_OBJ_$(1))/libmicro.a

.SECONDARY: $$(MICRO_LIB_OBJ_$(1)) $(4:%=$(B)/guests/obj/$(1)/%.c.o)
-include $$(MICRO_LIB_OBJ_$(1):.o=.d) $(4:%=$(B)/guests/obj/$(1)/%.c.d)
endef

# Also for the guests of tests/cli
MICRO_FLAGS_64 := -m64 -fno-pic -mno-red-zone -mcmodel=kernel
MICRO_VIRT_BASE_64 := 0xffffffff80000000
MICRO_LIB_64 := $(B)/guests/obj/x86_64/libmicro.a

$(eval $(call micro,x86_64,x86_64,,$(MICRO_NAMES),$(MICRO_FLAGS_64),$(MICRO_VIRT_BASE_64)))
$(eval $(call micro,x86_32p,x86_32,x86_32p/,$(MICRO_NAMES_32),-m32 -fno-pic \
	-DPAGING_LEVELS=3,0xc0000000))
$(eval $(call micro,x86_32,x86_32,x86_32/,$(MICRO_NAMES_32),-m32 -fno-pic \
	-DPAGING_LEVELS=2,0xc0000000))

guests: $(GUESTS)

.PHONY: guests

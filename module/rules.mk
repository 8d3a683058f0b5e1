# The monitor: every source once for each ABI, in $(B)/modules/ABI.mod.

MODULE_SRC := $(sort $(wildcard module/arch/*.c module/mm/*.c module/event/*.c))
MODULE_ASM := $(sort $(wildcard module/arch/*.S))
MODULES := $(ABIS:%=$(B)/modules/%.mod)

# Only general registers: the FPU is the guest's.  Plain x86-64 instructions:
# a host that interprets ring 0 lacks the newer ones.
MODULE_CFLAGS := -std=gnu11 -O2 -g $(WARN) -ffreestanding -fpie -mcmodel=small \
	-fvisibility=hidden -mgeneral-regs-only -mno-red-zone -march=x86-64 \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
	-fno-strict-aliasing -fno-tree-loop-distribute-patterns -include stdint.h
MODULE_CPPFLAGS := -D__XEN_INTERFACE_VERSION__=0x00040e00 -Imodule/include

define module_rules
$(B)/obj/$(1)/%.o: %.c $(B)/gen/$(1)/abi-info.h
	@mkdir -p $$(@D)
	$(CC) $(MODULE_CPPFLAGS) -I$(B)/gen/$(1) $(MODULE_CFLAGS) -MMD -MP -c -o $$@ $$<

$(B)/obj/$(1)/%.o: %.S
	@mkdir -p $$(@D)
	$(CC) $(MODULE_CPPFLAGS) -I$(B)/gen/$(1) -g -MMD -MP -c -o $$@ $$<

$(B)/obj/$(1)/hypercalls.o: $(B)/gen/$(1)/hypercalls.c
	@mkdir -p $$(@D)
	$(CC) $(MODULE_CPPFLAGS) $(MODULE_CFLAGS) -c -o $$@ $$<

$(B)/modules/$(1).mod: $(MODULE_ASM:%.S=$(B)/obj/$(1)/%.o) $(MODULE_SRC:%.c=$(B)/obj/$(1)/%.o) \
		$(B)/obj/$(1)/hypercalls.o module/module.lds
	@mkdir -p $$(@D)
	$(CC) -nostdlib -static -no-pie -Wl,-T,module/module.lds -Wl,--build-id=sha1 \
		-Wl,--no-warn-rwx-segments -Wl,-z,max-page-size=4096 -o $$@ $$(filter %.o,$$^)

-include $(MODULE_ASM:%.S=$(B)/obj/$(1)/%.d) $(MODULE_SRC:%.c=$(B)/obj/$(1)/%.d)
endef
$(foreach abi,$(ABIS),$(eval $(call module_rules,$(abi))))

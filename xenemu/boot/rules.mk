# GRUB as a PV guest, with pvgrub.cfg: made by GRUB's own tools of what the package
# grub-xen-bin has.  Without that package there is none: see pvgrub.c.
# Modules and configuration are in a memdisk, below a name that no guest's disk has:
# GRUB searches the memdisk, too.

GRUB_MODULES := /usr/lib/grub
PVGRUB := $(patsubst $(GRUB_MODULES)/%/modinfo.sh,$(B)/pvgrub/grub-%.bin, \
	$(wildcard $(GRUB_MODULES)/x86_64-xen/modinfo.sh $(GRUB_MODULES)/i386-xen/modinfo.sh))

$(B)/pvgrub/grub-%.bin: xenemu/boot/pvgrub.cfg $(GRUB_MODULES)/%/modinfo.sh
	@mkdir -p $(@D)
	tar -cf $@.tar --transform='s,.*/.*,pvgrub/grub.cfg,' $<
	tar -rf $@.tar --transform='s,^,pvgrub/,' -C $(GRUB_MODULES) $*
	grub-mkimage --directory=$(GRUB_MODULES)/$* --format=$* --output=$@ \
		--memdisk=$@.tar --prefix='(memdisk)/pvgrub' memdisk tar normal
	@rm $@.tar

pvgrub: $(PVGRUB)

.PHONY: pvgrub

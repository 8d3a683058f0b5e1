# Dispatch tables and documentation from the tables, the one source of truth.

ABIS := $(sort $(basename $(notdir $(wildcard hypercall-tables/*.tbl))))
TABLES := $(ABIS:%=hypercall-tables/%.tbl)
GENERATE := hypercall-tables/generate

GENERATED += $(B)/gen/hypercall-tables.c $(B)/gen/hypercall-checks.h

$(B)/gen/hypercall-checks.h: $(TABLES) $(GENERATE)
	@mkdir -p $(@D)
	$(GENERATE) check $(TABLES) > $@

$(B)/gen/hypercall-tables.c: $(TABLES) $(GENERATE)
	@mkdir -p $(@D)
	$(GENERATE) helper $(TABLES) > $@

$(B)/gen/%/hypercalls.c: hypercall-tables/%.tbl $(TABLES) $(GENERATE)
	@mkdir -p $(@D)
	$(GENERATE) monitor $< > $@

$(B)/gen/%/abi-info.h: hypercall-tables/%.tbl $(TABLES) $(GENERATE)
	@mkdir -p $(@D)
	$(GENERATE) info $< > $@

docs: docs/abi.md docs/tests.md
docs/abi.md: $(TABLES) $(GENERATE)
	$(GENERATE) doc $(TABLES) > $@

docs/tests.md: tests/guest/matrix tests/lib/MicroMatrix.pm FORCE
	tests/guest/matrix > $@

FORCE:

.PHONY: docs FORCE

# Fuzzers (libFuzzer, so clang): tests/fuzz/fuzz-NAME.c becomes $(B)/fuzz/fuzz-NAME,
# linked with the helper's sources built for it.  `make fuzz` builds them;
# tests/fuzz/fuzz.t runs each for a short while.  For a long run:
#   build/fuzz/fuzz-NAME -max_total_time=3600 -dict=tests/fuzz/NAME.dict DIRECTORY

FUZZ_CC := $(firstword $(shell command -v clang-14 clang 2>/dev/null))
FUZZ_FLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz-*.c)))

# Sources in assembly are the same as everywhere.
FUZZ_LIB_OBJ := $(patsubst xenemu/%.c,$(B)/fuzz/obj/xenemu/%.o,$(filter %.c,$(XENEMU_SRC))) \
	$(patsubst xenemu/%.S,$(B)/obj/xenemu/%.o,$(filter %.S,$(XENEMU_SRC))) \
	$(B)/fuzz/obj/hypercall-tables.o

$(B)/fuzz/obj/xenemu/cli/version.o: CPPFLAGS += -DXENEMU_VERSION='"$(VERSION)"'
# Packed bombs are found with less, too, and much faster.
$(B)/fuzz/obj/xenemu/domain/image-unpack.o: CPPFLAGS += -DIMAGE_MAX_BYTES=1048576

$(B)/fuzz/obj/%.o: %.c $(GENERATED)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS) $(PKG_CFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(B)/fuzz/obj/hypercall-tables.o: $(B)/gen/hypercall-tables.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS) $(PKG_CFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(B)/fuzz/libxenemu.a: $(FUZZ_LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(FUZZERS): $(B)/fuzz/%: $(B)/fuzz/obj/tests/fuzz/%.o $(B)/fuzz/libxenemu.a
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

fuzz: $(FUZZERS)

ifneq ($(FUZZ_CC),)
CHECK_NEEDS += $(FUZZERS)
endif

.PHONY: fuzz
.SECONDARY: $(FUZZ_LIB_OBJ) $(FUZZERS:$(B)/fuzz/%=$(B)/fuzz/obj/tests/fuzz/%.o)

-include $(FUZZ_LIB_OBJ:.o=.d) $(FUZZERS:$(B)/fuzz/%=$(B)/fuzz/obj/tests/fuzz/%.d)

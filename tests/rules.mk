# Tests.  `make check` builds and runs all of them under prove, whose result
# line comes last; `make check-unit` runs those that take no time.
#
# tests/unit/test-NAME.c becomes build/tests/test-NAME, linked with all of the
# helper.  A test that needs more says so in tests/unit/test-NAME.mk:
#   OBJS_test-NAME := further objects    ARGS_test-NAME := further link flags
# Whatever else a test needs built is added to CHECK_NEEDS.

UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/%,$(sort $(wildcard tests/unit/test-*.c)))

-include $(wildcard tests/unit/*.mk)
-include tests/fuzz/rules.mk
-include tests/cli/rules.mk

$(B)/obj/tests/%.o: tests/%.c $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

.SECONDEXPANSION:
$(UNIT_TESTS): $(B)/tests/%: $(B)/obj/tests/unit/%.o $$(OBJS_$$*) $(B)/libxenemu.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(ARGS_$*) $(PKG_LIBS)

-include $(UNIT_TESTS:$(B)/tests/%=$(B)/obj/tests/unit/%.d)

CLI_TESTS := $(sort $(wildcard tests/cli/*.t))
GUEST_TESTS := $(sort $(wildcard tests/guest/*.t))
FUZZ_TESTS := $(sort $(wildcard tests/fuzz/*.t))

# Where the tests find what they test.
PROVE := XENEMU_BUILD=$(abspath $(B)) B=$(B) prove --timer $(PROVEFLAGS)

check: all $(UNIT_TESTS) $(GUESTS) $(CHECK_NEEDS)
	$(PROVE) $(UNIT_TESTS) $(CLI_TESTS) $(FUZZ_TESTS) $(GUEST_TESTS)

check-unit: $(UNIT_TESTS)
	$(PROVE) $(UNIT_TESTS)

# For a sanitizer build, whose guests are slow: one machine, few boots, one of
# them for each ABI and word size.
check-short: all $(UNIT_TESTS) $(GUESTS) $(filter-out $(FUZZERS),$(CHECK_NEEDS))
	XENEMU_TEST_MACHINES=qemu MICRO=entry-state \
		$(PROVE) $(UNIT_TESTS) $(CLI_TESTS) tests/guest/linux.t tests/guest/micro.t

# The repository's style; files that git doesn't know don't count.
format-check:
	git -c safe.directory='*' ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror

.PHONY: check-unit check-short format-check

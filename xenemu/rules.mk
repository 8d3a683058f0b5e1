# The helper: every .c and .S below xenemu/ but the program's main is in
# libxenemu.a, which the tests link too.

XENEMU_SRC := $(sort $(wildcard xenemu/*/*.c xenemu/*/*.S))
XENEMU_OBJ := $(addprefix $(B)/obj/,$(addsuffix .o,$(basename $(XENEMU_SRC))))
XENEMU_MAIN := xenemu/main.c

$(B)/obj/xenemu/%.o: xenemu/%.c $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/xenemu/%.o: xenemu/%.S
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -g -MMD -MP -c -o $@ $<

$(B)/obj/xenemu/cli/version.o: CPPFLAGS += -DXENEMU_VERSION='"$(VERSION)"'

$(B)/obj/gen/hypercall-tables.o: $(B)/gen/hypercall-tables.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/libxenemu.a: $(XENEMU_OBJ) $(B)/obj/gen/hypercall-tables.o
	@rm -f $@
	ar rcs $@ $^

$(B)/xenemu: $(B)/obj/xenemu/main.o $(B)/libxenemu.a
	$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

-include $(XENEMU_OBJ:.o=.d) $(B)/obj/xenemu/main.d

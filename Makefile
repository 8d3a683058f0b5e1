# xenemu: `make` builds build/xenemu and build/modules/*; `make check` runs the
# tests.  Set SANITIZE=1 for a build with ASan and UBSan (in build-asan/).

SANITIZE ?= 0
ifeq ($(SANITIZE),1)
B := build-asan
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined
else
B := build
SAN :=
endif

CC := gcc
PKGS := glib-2.0 gio-2.0 gio-unix-2.0 json-glib-1.0 liblzma libzstd liblz4 zlib \
	liburing libnbd ext2fs com_err libseccomp
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

WARN := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow \
	-Wpointer-arith -Wvla
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS := $(shell pkg-config --libs $(PKGS)) -lbz2 -llzo2
# Xen's public headers at their newest interface; module/ sets its own.
CPPFLAGS := -D_GNU_SOURCE -D__XEN_INTERFACE_VERSION__=0x00040e00 \
	-Ixenemu -Imodule/include -I$(B)/gen
CFLAGS := -std=gnu11 -O2 -g $(WARN) $(SAN)
LDFLAGS := $(SAN)

all: $(B)/xenemu modules pvgrub

include hypercall-tables/rules.mk
include module/rules.mk
include xenemu/rules.mk
include xenemu/boot/rules.mk
-include guest-images/rules.mk
-include tests/rules.mk

modules: $(MODULES)

clean:
	rm -rf build build-asan

.PHONY: all modules clean check
.DELETE_ON_ERROR:

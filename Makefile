# SPDX-License-Identifier: Apache-2.0
# Crosswire. `make help` lists what there is; everything that is built goes to build/.

# ---- knobs ----------------------------------------------------------------------------------------------------------
# SAN=address|undefined|thread   a sanitizer          DEBUG=1   -O0, engine invariants after every command
# ARCH=x86-64-v3                 the oldest CPU       CC=clang  another compiler
ARCH  ?= x86-64-v3
PREFIX ?= /usr
DESTDIR ?=
SAN   ?=
DEBUG ?=
variant := $(if $(SAN),-$(SAN))$(if $(DEBUG),-debug)$(if $(filter clang%,$(CC)),-clang)
B     := build$(if $(variant),/variant$(variant))

# ---- flags ----------------------------------------------------------------------------------------------------------
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CFLAGS   ?= $(if $(DEBUG),-O0 -DCROSSWIRE_CHECK,-O3) -g
CPPFLAGS += -D_GNU_SOURCE -Idataplane -I.
base     := -std=c11 $(warnings) -march=$(ARCH) -fno-strict-aliasing -fno-omit-frame-pointer -MMD -MP
ifneq ($(SAN),)
base     += -fsanitize=$(SAN) -fno-sanitize-recover=all
LDFLAGS  += -fsanitize=$(SAN)
endif

pc = $(shell pkg-config $(1) $(2) 2>/dev/null)
# pkg-config puts -march=corei7 in DPDK's flags; ours comes after it.
dpdk_cflags = $(call pc,--cflags,libdpdk)
dpdk_libs   = $(call pc,--libs,libdpdk)
libs        = $(call pc,--libs,libcyaml yaml-0.1 libsodium jansson liburing libpcap) -lm -lpthread
jemalloc    = $(if $(SAN),,$(call pc,--libs,jemalloc))

# ---- sources: one library a folder, one program a main --------------------------------------------------------------
objects = $(patsubst %.c,$(B)/%.o,$(1))
programs_perf := $(wildcard perf/xwreplay.c perf/bench_*.c perf/floor_*.c)
contract := $(B)/contract.a
engine   := $(B)/engine.a
io       := $(B)/io.a
cores    := $(B)/cores.a
client   := $(B)/client.a
control  := $(B)/control.a
perf     := $(B)/perf.a
$(contract): $(call objects,$(wildcard dataplane/contract/*.c))
$(engine):   $(call objects,$(wildcard dataplane/engine/*.c))
$(io):       $(call objects,$(wildcard dataplane/io/*.c))
$(cores):    $(call objects,$(wildcard dataplane/cores/*.c))
$(client):   $(call objects,$(filter-out dataplane/client/example_%,$(wildcard dataplane/client/*.c)))
$(control):  $(call objects,$(filter-out control/main.c control/xwctl.c,$(wildcard control/*.c)))
$(perf):     $(call objects,$(filter-out $(programs_perf),$(wildcard perf/*.c)))

binaries := $(B)/crosswire-dataplane $(B)/crosswire-control $(B)/xwctl $(B)/xwreplay
benches  := $(patsubst perf/%.c,$(B)/%,$(filter-out perf/xwreplay.c,$(programs_perf)))
examples := $(patsubst dataplane/client/%.c,$(B)/%,$(wildcard dataplane/client/example_*.c))
units    := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
eal_units := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/eal/test_*.c))
support  := $(call objects,$(wildcard tests/support/*.c))

.PHONY: all
all: $(binaries) $(benches) $(examples)

# ---- rules ----------------------------------------------------------------------------------------------------------
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(base) $(CPPFLAGS) $(CFLAGS) $(extra) -c -o $@ $<
$(B)/dataplane/io/%.o $(B)/tests/eal/%.o $(B)/perf/%.o: extra = $(dpdk_cflags) -march=$(ARCH)

$(B)/%.a:
	@rm -f $@
	ar rcs $@ $^

$(B)/crosswire-dataplane: $(call objects,$(wildcard dataplane/*.c)) $(cores) $(io) $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(dpdk_libs) $(libs) $(jemalloc)
$(B)/crosswire-control: $(B)/control/main.o $(control) $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(libs) $(jemalloc)
$(B)/xwctl: $(B)/control/xwctl.o $(control) $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(libs)
$(B)/xwreplay $(benches): $(B)/%: $(B)/perf/%.o $(perf) $(client) $(io) $(control) $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(dpdk_libs) $(libs)
$(examples): $(B)/%: $(B)/dataplane/client/%.o $(client) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^
$(units): $(B)/tests/%: $(B)/tests/%.o $(support) $(control) $(client) $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(libs) -lcmocka
$(eal_units): $(B)/tests/%: $(B)/tests/%.o $(support) $(cores) $(io) $(control) $(client) $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(dpdk_libs) $(libs) -lcmocka

.PHONY: units
units: $(units) $(eal_units)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

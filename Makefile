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
.DEFAULT_GOAL := all

# ---- flags ----------------------------------------------------------------------------------------------------------
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
plain    := $(if $(filter undefined,$(origin CFLAGS)),yes)
CFLAGS   ?= $(if $(DEBUG),-O0 -DCROSSWIRE_CHECK,-O3) -g
CPPFLAGS += -D_GNU_SOURCE -Idataplane -I.
base     := -std=c11 $(warnings) -march=$(ARCH) -fno-strict-aliasing -mprfchw -MMD -MP
ifneq ($(SAN),)
base     += -fsanitize=$(SAN) -fno-sanitize-recover=all
LDFLAGS  += -fsanitize=$(SAN)
endif

pc = $(shell pkg-config $(1) $(2) 2>/dev/null)
# pkg-config puts -march=corei7 in DPDK's flags; ours comes after it.
dpdk_cflags = $(call pc,--cflags,libdpdk)
dpdk_libs   = $(call pc,--libs,libdpdk)
libs        = $(call pc,--libs,libcyaml yaml-0.1 libsodium jansson liburing libpcap libsystemd libzstd) -lm -lpthread
jemalloc    = $(if $(SAN),,$(call pc,--libs,jemalloc))

# ---- sources: one library a folder, one program a main --------------------------------------------------------------
objects = $(patsubst %.c,$(B)/%.o,$(1))
programs_perf := $(wildcard perf/xwreplay.c perf/bench_*.c perf/floor_*.c)
contract := $(B)/contract.a
engine   := $(B)/engine.a
io       := $(B)/io.a
cores    := $(B)/cores.a
process  := $(B)/dataplane.a
client   := $(B)/client.a
control  := $(B)/control.a
ctl      := $(B)/ctl.a
perf     := $(B)/perf.a
$(contract): $(call objects,$(wildcard dataplane/contract/*.c))
$(engine):   $(call objects,$(wildcard dataplane/engine/*.c))
$(io):       $(call objects,$(wildcard dataplane/io/*.c))
$(cores):    $(call objects,$(wildcard dataplane/cores/*.c))
$(process):  $(call objects,$(filter-out dataplane/main.c,$(wildcard dataplane/*.c)))
$(client):   $(call objects,$(filter-out dataplane/client/example_%,$(wildcard dataplane/client/*.c)))
$(control):  $(call objects,$(filter-out control/main.c control/ctl/% control/doctor/%,$(wildcard control/*.c control/*/*.c)))
$(ctl):      $(call objects,$(filter-out control/ctl/xwctl.c,$(wildcard control/ctl/*.c control/doctor/*.c)))
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
	$(CC) $(base) $(CPPFLAGS) $(CFLAGS) $(optimised) $(extra) -c -o $@ $<
$(B)/dataplane/io/%.o $(B)/tests/eal/%.o $(B)/perf/%.o: extra = $(dpdk_cflags) -march=$(ARCH)

# A test is not what is measured: half of the optimiser's work suffices, lines without variables (DEBUG=1 has them), and the
# linker that takes a fifth of the time, where there is one.
$(B)/tests/%.o: optimised = $(if $(plain),$(if $(DEBUG),,-O1 -g1))
quick_linker := $(if $(shell command -v ld.gold),-fuse-ld=gold)
# What the engine writes stands in scalar registers; gathered into vectors it would go through the stack.
$(B)/dataplane/engine/%.o: extra = -fno-tree-slp-vectorize

$(B)/%.a:
	@rm -f $@
	ar rcs $@ $^

$(B)/crosswire-dataplane: $(B)/dataplane/main.o $(process) $(cores) $(io) $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(dpdk_libs) $(libs) $(jemalloc)
$(B)/crosswire-control: $(B)/control/main.o $(control) $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(libs) $(jemalloc)
$(B)/xwctl: $(B)/control/ctl/xwctl.o $(ctl) $(control) $(client) $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(libs)
$(B)/xwreplay $(benches): $(B)/%: $(B)/perf/%.o $(perf) $(client) $(io) $(control) $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(dpdk_libs) $(libs)
$(examples): $(B)/%: $(B)/dataplane/client/%.o $(client) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^
$(units): $(B)/tests/%: $(B)/tests/%.o $(support) $(perf) $(ctl) $(control) $(client) $(engine) $(contract)
	$(CC) $(LDFLAGS) $(quick_linker) -o $@ $^ $(libs) -lcmocka
$(eal_units): $(B)/tests/%: $(B)/tests/%.o $(support) $(process) $(cores) $(io) $(control) $(client) $(engine) $(contract)
	$(CC) $(LDFLAGS) $(quick_linker) -o $@ $^ $(dpdk_libs) $(libs) -lcmocka

.PHONY: units
units: $(units) $(eal_units)

# ---- the simulator --------------------------------------------------------------------------------------------------
# Both programs, whole, in one process: each is linked to one object of its own, in which calls of the system are renamed
# to the simulator's and all static variables stand together. A build of its own, because of tests/sim/seam.h.
#   make sim SEED=n [STEPS=n] [TRACE=1]      make sim  (without end)
seam :=
$(B)/dataplane/%.o $(B)/control/%.o: base += $(seam)
image_parts_dataplane = $(B)/dataplane/main.o $(process) $(cores) $(B)/dataplane/io/packet.o
image_parts_control = $(B)/control/main.o $(control)
define image
$(B)/image_$(1).o: $(image_parts_$(1)) $(engine) $(contract) tests/sim/image.ld tests/sim/calls.txt tests/sim/pure.txt
	@sed 's/IMAGE/$(1)/' tests/sim/image.ld >$(B)/image_$(1).ld
	$(LD) -r -T $(B)/image_$(1).ld -o $(B)/image_$(1).all.o $(image_parts_$(1)) $(engine) $(contract)
	@{ cat tests/sim/calls.txt; echo main $(1)_main; } >$(B)/image_$(1).calls
	objcopy --redefine-syms=$(B)/image_$(1).calls --keep-global-symbol=$(1)_main $(B)/image_$(1).all.o $$@
	@nm -u $$@ | sed 's/^ *[A-Za-z] //' | grep -vE '^(sys|sim|fault)_' | grep -vxFf tests/sim/pure.txt | sed 's/^/crosswire-$(1) calls /; \
	  s/$$$$/: simulate it (tests\/sim\/calls.txt, posix.h), or name it in tests\/sim\/pure.txt/' >$(B)/image_$(1).unknown; \
	  ! grep . $(B)/image_$(1).unknown || { rm -f $$@; exit 1; }
endef
$(foreach program,dataplane control,$(eval $(call image,$(program))))
$(B)/simulator: $(call objects,$(wildcard tests/sim/*.c)) $(B)/image_dataplane.o $(B)/image_control.o $(client) $(B)/dataplane/io/packet.o $(engine) $(contract)
	$(CC) $(LDFLAGS) -o $@ $^ $(libs)

# One build serves both: of the bugs that can be planted (tests/sim/faults.def), none is unless it is named.
.PHONY: sim sim-faults simulator
simulator:
	+@$(MAKE) --no-print-directory B=$(B)/sim CFLAGS='-O2 -g1' seam='-include tests/sim/seam.h -Wno-shadow -DCROSSWIRE_FAULTS' $(B)/sim/simulator
sim-faults: simulator ## the simulator must find every planted bug; FAULT=NAME one of them
	@$(B)/sim/simulator --faults --jobs $(shell nproc) --seeds $(or $(SEEDS),100) $(if $(FAULT),--fault $(FAULT))
sim: simulator ## the simulator: SEED=n one seed, else without end; STEPS=n, TRACE=1
	@$(B)/sim/simulator --jobs $(if $(SEED),1,$(shell nproc)) $(if $(SEED),--seed $(SEED),--seeds 1000000000) $(if $(STEPS),--steps $(STEPS)) $(if $(TRACE),--trace)

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)

# ---- the two commands -----------------------------------------------------------------------------------------------
# All CPUs, unless somebody said -j himself.
jobs = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
.PHONY: run venue test
run: ## a day of orders through the real appliance; INPUT=FILE plays a capture or a stream file
	@.ci/install-packages run
	@$(MAKE) --no-print-directory $(jobs) binaries
	@XW_BIN=$(abspath $(B)) INPUT='$(INPUT)' perf/run.sh

venue: ## both processes, kept up for clients with UDP sockets on this machine, until Ctrl-C; needs root
	@.ci/install-packages test
	@$(MAKE) --no-print-directory $(jobs) binaries $(B)/example_order
	@XW_BIN=$(abspath $(B)) perf/venue.sh

test: ## everything that is tested; ONLY=PATTERN limits it
	@.ci/install-packages test
	@$(MAKE) --no-print-directory $(jobs) all units
	@tests/run.sh $(B) '$(ONLY)'

# ---- the rest -------------------------------------------------------------------------------------------------------
.PHONY: deps binaries bench soak fuzz fuzzers tidy format coverage covering install uninstall clean help
deps: ## install the Debian packages that building, testing and measuring need
	@.ci/install-packages test

binaries: $(binaries) ## the four programs alone

bench: ## the table of the README; leaves build/bench.json
	@.ci/install-packages test
	@$(MAKE) --no-print-directory $(jobs) all
	@XW_BIN=$(abspath $(B)) perf/bench.sh

soak: all units ## the random and kill tests, far longer: XW_SOAK=MINUTES
	@XW_SOAK=$(or $(XW_SOAK),30) tests/soak.sh $(B)

# Fuzzers need clang's libFuzzer and all that they reach instrumented: a build of its own, of no more of control than that.
fuzz_targets := $(patsubst %.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzzers:
	@$(MAKE) --no-print-directory B=build/fuzz CC=clang CFLAGS='-O1 -gline-tables-only -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' $(fuzz_targets)
build/fuzz/tests/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o build/fuzz/fuzzed.a build/fuzz/client.a build/fuzz/engine.a build/fuzz/packet.a build/fuzz/contract.a
	$(CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(libs)
build/fuzz/fuzzed.a: $(patsubst %.c,build/fuzz/%.o,$(wildcard control/journal/*.c control/limits/*.c) $(addprefix control/,ctl/capture.c ctl/export.c ctl/progress.c ctl/walk.c recovery/fan_out.c recovery/replica.c))
build/fuzz/packet.a: build/fuzz/dataplane/io/packet.o
.SECONDARY: $(fuzz_targets:=.o)

fuzz: fuzzers ## every fuzz target for XW_FUZZ_SECONDS (600) each
	@XW_FUZZ_SECONDS=$(or $(XW_FUZZ_SECONDS),600) tests/run.sh build tests/fuzz/

sources = $(shell git ls-files '*.c' '*.h')
format: ## lay out every source file
	clang-format -i $(sources)

tidy: ## format, include arrows, static checks: before each commit; `make test` runs them too
	@for check in tests/shape/*.sh; do $$check || exit 1; done

# The branch of xw_assert that ends the process is not counted, nor that of xw_known: gcovr leaves out lines that name them. A function
# that is put into its callers is one here, so that a branch on what one of them says as a constant is taken both ways.
covering := $(filter-out %_hash,$(filter $(B)/tests/unit/test_engine_%,$(units)))
book_and_matching := (book|lookup|place|slots|match\w*|aiq|special\w*|wish|pegs|conditional|triggers|afterwork|phases|trades|options|orders)[.][ch]
market_and_risk := (bands|market|market_snapshot|check_market|kill|positions|mode|single|collar|risk|risk_\w+|rates|tokens|losses|lease|settle|settle_snapshot|alike)[.][ch]
covered = gcovr --root . --exclude-branches-by-pattern '.*xw_(assert|known)\(.*' --branches
covering: $(covering)
coverage: ## branch coverage of the engine by its tests; fails when a branch of book, matching, market, risk or kills is not taken
	@.ci/install-packages test
	@$(MAKE) --no-print-directory $(jobs) B=build/coverage CFLAGS='-O0 -g --coverage -Dalways_inline=unused' LDFLAGS=--coverage covering
	@find build/coverage -name '*.gcda' -delete
	@XW_DAYS=150 tests/run.sh build/coverage tests/unit/test_engine
	@$(covered) --filter 'dataplane/engine/' build/coverage
	@echo && echo 'Book and matching:'
	@$(covered) --filter 'dataplane/engine/$(book_and_matching)' --fail-under-branch 100 build/coverage
	@echo && echo 'Market, risk and kills:'
	@$(covered) --filter 'dataplane/engine/$(market_and_risk)' --fail-under-branch 100 build/coverage

# The client library for firms: one object, of which only xw_ names can be seen, and the headers that its own headers need.
client_library := $(B)/libcrosswire-client.a
client_headers := $(filter-out dataplane/client/stream.h,$(wildcard dataplane/client/*.h)) dataplane/contract/command.h dataplane/contract/risk.h dataplane/contract/limits.def
$(client_library): $(client) $(contract)
	$(LD) -r -o $(B)/client-all.o --whole-archive $(client) --no-whole-archive $(contract)
	objcopy --wildcard --keep-global-symbol='xw_*' $(B)/client-all.o
	@rm -f $@
	ar rcs $@ $(B)/client-all.o

version = $(shell sed -n 's/^.define CROSSWIRE_VERSION "\(.*\)"/\1/p' dataplane/contract/version.h)
to := $(DESTDIR)$(PREFIX)
# The units say /usr; a template for further instances is made from each, so that the two can not differ.
unit_files  := $(wildcard systemd/*.service systemd/*.target systemd/*.slice)
instances   := crosswire-dataplane.service crosswire-control.service crosswire.target
to_prefix   := -e 's\#/usr/\(sbin/crosswire\|bin/xwctl\|share/\(doc/\)\?crosswire\)\#$(PREFIX)/\1\#g'
to_instance := -e 's/^Description=.*/&, instance %i/' -e 's\#/etc/crosswire/crosswire.yaml\#/etc/crosswire/%i.yaml\#g' \
  -e 's/crosswire-control.service/crosswire-control@%i.service/g' -e 's/crosswire-dataplane.service/crosswire-dataplane@%i.service/g' \
  -e 's/crosswire\.target/crosswire@%i.target/g' -e 's/^LoadCredential=crosswire.passwords/&:crosswire-%i.passwords/' \
  -e 's\#^StateDirectory=crosswire/journal\#&-%i\#'
# systemd looks below /usr and /usr/local alone.
next_steps  := $(strip $(if $(filter /usr /usr/local,$(PREFIX)),systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload,\
  systemd-sysusers $(PREFIX)/lib/sysusers.d/crosswire.conf && systemd-tmpfiles --create $(PREFIX)/lib/tmpfiles.d/crosswire.conf && \
  systemctl link $(PREFIX)/lib/systemd/system/crosswire*))
host_files  := $(shell find hugepage_setup -type f ! -name '.*' 2>/dev/null)

install: binaries $(client_library) ## lay out programs, units, profiles and client library under DESTDIR and PREFIX
	install -d $(to)/sbin $(to)/bin $(to)/lib/pkgconfig $(DESTDIR)/etc/crosswire
	install -m 755 $(B)/crosswire-dataplane $(B)/crosswire-control $(to)/sbin
	install -m 755 $(B)/xwctl $(B)/xwreplay $(to)/bin
	install -m 644 -D -t $(to)/share/crosswire/nic_profiles nic_profiles/*.yaml
	for file in $(host_files); do \
	  install -m $$(test -x $$file && echo 755 || echo 644) -D $$file $(to)/share/crosswire/$$file || exit 1; done
	install -d $(addprefix $(to)/lib/,systemd/system sysusers.d tmpfiles.d)
	for unit in $(notdir $(unit_files)); do \
	  sed $(to_prefix) systemd/$$unit >$(to)/lib/systemd/system/$$unit || exit 1; done
	for unit in $(instances); do \
	  sed $(to_prefix) $(to_instance) systemd/$$unit >$(to)/lib/systemd/system/$${unit%.*}@.$${unit##*.} || exit 1; done
	chmod 644 $(to)/lib/systemd/system/crosswire*
	install -m 644 systemd/crosswire.sysusers $(to)/lib/sysusers.d/crosswire.conf
	install -m 644 systemd/crosswire.tmpfiles $(to)/lib/tmpfiles.d/crosswire.conf
	install -m 644 -D systemd/needrestart.conf $(DESTDIR)/etc/needrestart/conf.d/crosswire.conf
	install -m 644 -D systemd/apt.conf $(DESTDIR)/etc/apt/apt.conf.d/60crosswire
	install -m 644 -D -t $(to)/share/doc/crosswire README.md
	install -m 644 -D -t $(to)/share/doc/crosswire/examples/systemd systemd/optional/*.conf
	test -e $(DESTDIR)/etc/crosswire/crosswire.yaml || { \
	  sed -e 's#^profile_directory:.*#profile_directory: $(PREFIX)/share/crosswire/nic_profiles#' \
	    -e 's#^journal_directory:.*#journal_directory: /var/lib/crosswire/journal#' -e 's#build/run#/run/crosswire#' \
	    -e 's#control/limits.yaml#/etc/crosswire/limits.yaml#' control/crosswire.yaml >$(B)/crosswire.yaml && \
	  install -m 640 $(B)/crosswire.yaml $(DESTDIR)/etc/crosswire/crosswire.yaml; }
	install -m 644 -D -t $(to)/share/doc/crosswire/examples control/limits.yaml
	test -e $(DESTDIR)/etc/crosswire/limits.yaml || install -m 640 control/limits.yaml $(DESTDIR)/etc/crosswire/limits.yaml
	for header in $(client_headers:dataplane/%=%); do \
	  install -m 644 -D dataplane/$$header $(to)/include/crosswire/$$header || exit 1; done
	install -m 644 $(client_library) $(to)/lib
	install -m 644 -D -t $(to)/share/doc/crosswire/examples dataplane/client/example_order.c dataplane/client/example_script.c dataplane/client/example_drop_copy.c
	printf '%s\n' 'Name: crosswire-client' 'Description: UFO, OUCH 5.0, ITCH 5.0 and MoldUDP64 for clients' 'Version: $(version)' \
	  'Cflags: -I$(PREFIX)/include/crosswire' 'Libs: -L$(PREFIX)/lib -lcrosswire-client' >$(to)/lib/pkgconfig/crosswire-client.pc

	@test -n "$(DESTDIR)" || echo 'installed; next, as root: $(next_steps)'

uninstall: ## remove what install laid out; the configuration and the journal stay
	rm -f $(to)/lib/systemd/system/crosswire[-.@]* $(to)/lib/sysusers.d/crosswire.conf $(to)/lib/tmpfiles.d/crosswire.conf
	rm -f $(DESTDIR)/etc/needrestart/conf.d/crosswire.conf $(DESTDIR)/etc/apt/apt.conf.d/60crosswire
	rm -f $(addprefix $(to)/sbin/,crosswire-dataplane crosswire-control) $(addprefix $(to)/bin/,xwctl xwreplay)
	rm -f $(to)/lib/libcrosswire-client.a $(to)/lib/pkgconfig/crosswire-client.pc
	rm -rf $(addprefix $(to)/,share/crosswire share/doc/crosswire include/crosswire)
	@for folder in $(DESTDIR)/etc/needrestart/conf.d $(DESTDIR)/etc/needrestart; do \
	  test ! -d $$folder || rmdir --ignore-fail-on-non-empty $$folder; done

clean: ## remove build/
	rm -rf build

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo "  SAN=address|undefined|thread  DEBUG=1  CC=clang  ARCH=x86-64-v3  with any of them"

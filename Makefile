# lathe: builds whole computers from text.
#
#   make              the program, build/lathe
#   make demo         boots a real machine (fetches its kernel the first time); GUEST=arm64|riscv64
#   make shell        the same machine, leaving one in the guest's shell
#   make check        all tests            SAN=address,undefined or SAN=thread: under sanitizers
#   make coverage     all tests of a debug build: rows of the translator's tables that none reaches
#   make bench        lathe beside its peer, in one run
#   make lint         include rules, headers, format, sizes
#   make bless        rewrite the expected messages, and show the difference
#   make fuzz         the fuzz entry points, for a while (FUZZ_SECONDS)
#   make install      to PREFIX (/usr/local)
#
# No source file is named here: a file in src/ or tests/ is found. Only build/ is written to.

SAN   ?=
DEBUG ?=
BUILD ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(DEBUG),/debug)
comma := ,
PREFIX ?= /usr/local

all: $(BUILD)/lathe

# All cores, unless -j says otherwise. Several goals are made in their order (make clean all).
ifeq ($(MAKELEVEL)$(word 2,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

ifeq ($(filter clean help,$(MAKECMDGOALS)),)
-include $(BUILD)/config.mk
endif

$(BUILD)/config.mk: configure
	@BUILD=$(BUILD) ./configure

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
            -Wimplicit-fallthrough -Wno-unused-parameter -Wno-missing-field-initializers -Werror
ALL_CFLAGS = -std=gnu11 $(WARNINGS) -fno-strict-aliasing -pthread -Isrc -I. -I$(BUILD)/gen \
            $(PKG_CFLAGS) $(if $(DEBUG),-DLATHE_DEBUG) -D_GNU_SOURCE \
            $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) \
            $(if $(findstring thread,$(SAN)),$(if $(findstring gcc,$(CC)),-Wno-tsan)) $(CFLAGS)
ALL_LIBS  = -pthread $(PKG_LIBS) $(if $(SAN),-fsanitize=$(SAN))

# ---- what there is ----------------------------------------------------------------------------

decodes   := $(shell find src/targets -name '*.decode' 2>/dev/null)
tools     := $(wildcard src/tcg/mkdecode*.c) src/config/mkpacked.c
sources   := $(filter-out $(tools) src/main.c,$(shell find src -name '*.c'))
headers   := $(shell find src tests -name '*.h' -not -path 'tests/guest/*')
resources := $(shell find schemas machines -name '*.yaml' 2>/dev/null)

gen_decode := $(decodes:src/%.decode=$(BUILD)/gen/%.gen.c)
objects    := $(sources:src/%.c=$(BUILD)/obj/%.o) $(gen_decode:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o) \
              $(BUILD)/obj/gen/tables.o $(BUILD)/obj/gen/embedded.o

# ---- the program ------------------------------------------------------------------------------

$(BUILD)/lathe: $(BUILD)/obj/main.o $(BUILD)/liblathe.a
	@echo "  LINK  $@"
	@$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(BUILD)/obj/main.o $(BUILD)/liblathe.a $(ALL_LIBS)

$(BUILD)/liblathe.a: $(objects)
	@rm -f $@
	@ar rcs $@ $(objects)

# Translating has to be quick: a session at the prompt is mostly that.
$(BUILD)/obj/tcg/%.o: OPTIMIZE = $(if $(findstring -O2,$(CFLAGS)),-O3)

$(BUILD)/obj/%.o: src/%.c $(BUILD)/config.mk | $(gen_decode)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) $(OPTIMIZE) -MMD -MP -c -o $@ $<

# Operands that are put together in a vector register come late.
$(gen_decode:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o): OPTIMIZE = -fno-tree-slp-vectorize

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) $(OPTIMIZE) -MMD -MP -c -o $@ $<

# Decoders come in pairs: insn.gen.h and insn.gen.c, from insn.decode.
$(BUILD)/mkdecode: $(wildcard src/tcg/mkdecode*.c) src/tcg/mkdecode.h $(BUILD)/config.mk
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) -std=gnu11 $(WARNINGS) -O1 -g -D_GNU_SOURCE -Isrc $(PKG_CFLAGS) -o $@ $(filter %.c,$^) $(PKG_LIBS)

$(BUILD)/gen/%.gen.c $(BUILD)/gen/%.gen.h: src/%.decode $(BUILD)/mkdecode $(wildcard src/targets/*/*.rows)
	@mkdir -p $(@D)
	@echo "  GEN   $(BUILD)/gen/$*.gen.c"
	@$(BUILD)/mkdecode $< $(BUILD)/gen/$*.gen

# The lists of everything declared by a macro (DEVICE_CLASS, BLOCK_DRIVER, ISA ...).
$(BUILD)/gen/tables.c: src/core/mktables.sh $(sources)
	@mkdir -p $(@D)
	@echo "  GEN   $@"
	@sh src/core/mktables.sh $(sources) > $@.new && mv $@.new $@

# Schemas and boards are part of the program: as texts, and packed as the trees that they are.
$(BUILD)/libmkpacked.a: $(filter $(BUILD)/obj/core/% $(BUILD)/obj/config/%,$(objects))
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/mkpacked: src/config/mkpacked.c $(BUILD)/libmkpacked.a
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< $(BUILD)/libmkpacked.a $(ALL_LIBS)

$(BUILD)/gen/packed/%: % $(BUILD)/mkpacked
	@mkdir -p $(@D)
	@$(BUILD)/mkpacked $< $@

$(BUILD)/gen/embedded.c: $(resources) $(resources:%=$(BUILD)/gen/packed/%) src/config/mkembedded.sh
	@echo "  GEN   $@"
	@sh src/config/mkembedded.sh $(BUILD)/gen/packed $(sort $(resources)) > $@.new && mv $@.new $@

# ---- tests ------------------------------------------------------------------------------------
# A C file in tests/ with a main() is a test; the others are linked into every test.

test_mains   := $(shell grep -lE '^int main\b' -r tests --include='*.c' 2>/dev/null | grep -vE '^tests/(fuzz|guest)/' | sort)
test_support := $(filter-out $(test_mains),$(shell find tests -name '*.c' -not -path 'tests/fuzz/*' \
                    -not -path 'tests/guest/*' 2>/dev/null))
test_scripts := $(shell find tests -name '*.test.sh' 2>/dev/null | sort)
test_programs := $(test_mains:%.c=$(BUILD)/%)

$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/config.mk | $(gen_decode)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(test_programs): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(test_support:%.c=$(BUILD)/obj/%.o) $(BUILD)/liblathe.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< $(test_support:%.c=$(BUILD)/obj/%.o) \
	    $(BUILD)/liblathe.a $(CMOCKA_LIBS) $(ALL_LIBS)

tests: $(BUILD)/lathe $(test_programs)

# ONLY=pattern runs the tests whose path matches.
check: tests
	@BUILD=$(BUILD) sh tests/tools.sh
	@BUILD=$(BUILD) SAN=$(SAN) sh tests/run.sh $(test_programs) $(test_scripts)

# Rows of the translator's tables that no test reaches; needs DEBUG=1 for all that is counted.
coverage:
	@$(MAKE) --no-print-directory DEBUG=1 coverage-of-debug-build

coverage-of-debug-build: tests
	@BUILD=$(BUILD) sh tests/tools.sh
	@BUILD=$(BUILD) sh tests/coverage.sh $(filter-out $(BUILD)/tests/block/%,$(test_programs)) $(test_scripts)

bless: tests
	@BUILD=$(BUILD) sh tests/bless.sh

# ---- the rest ---------------------------------------------------------------------------------

lint: $(BUILD)/config.mk $(gen_decode)
	@BUILD=$(BUILD) CC="$(CC)" FLAGS="$(ALL_CFLAGS)" sh tests/lint.sh $(sources) $(headers)

demo: $(BUILD)/lathe
	@BUILD=$(BUILD) GUEST=$(GUEST) sh examples/demo.sh

shell: $(BUILD)/lathe
	@BUILD=$(BUILD) GUEST=$(GUEST) sh examples/demo.sh --shell

bench: $(BUILD)/lathe
	@BUILD=$(BUILD) sh tests/bench/run.sh

fuzz: $(BUILD)/lathe
	@BUILD=$(BUILD) CC="$(CC)" FLAGS="$(ALL_CFLAGS)" LIBS="$(ALL_LIBS)" sh tests/fuzz/run.sh

# The reference parts of the manual pages come from the schemas: a line `.\" made: PART`.
manual := $(patsubst %,$(BUILD)/%,$(wildcard man/*.[157]))

$(BUILD)/man/%: man/% $(BUILD)/lathe
	@mkdir -p $(@D)
	@while IFS= read -r line; do case $$line in \
	   '.\" made: '*) $(BUILD)/lathe explain --man "$${line#*made: }" || exit 1 ;; \
	   *) printf '%s\n' "$$line" ;; esac; done < $< > $@.new && mv $@.new $@

install: $(BUILD)/lathe $(manual)
	install -D -m 755 $(BUILD)/lathe $(DESTDIR)$(PREFIX)/bin/lathe
	for page in $(manual); do \
	    install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done

deps:
	@BUILD=$(BUILD) ./configure

clean:
	rm -rf $(BUILD)

help:
	@sed -n '3,15s/^# \{0,1\}//p' Makefile

.PHONY: all tests check coverage coverage-of-debug-build bless lint demo shell bench fuzz install deps clean help
.SECONDARY:

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

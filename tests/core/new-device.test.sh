#!/bin/sh
# A device is one C file, one schema and one test, and nothing else is touched: adds one to a copy of
# the sources, builds that, and asks the new program about it.
set -u
build=${BUILD:-build}
if [ "${SAN:-}" ]; then
    echo "objects with sanitizers are of no use to it"
    exit 77
fi
copy=$build/new-device
rm -rf "$copy"
mkdir -p "$copy"
trap 'rm -rf "$copy"' EXIT
cp -r Makefile configure src schemas machines tests "$copy/" || exit 1
# What is built already is as good there: only the new file and the lists are newer.
mkdir -p "$copy/build"
cp -rp "$build/obj" "$build/gen" "$build/config.mk" "$copy/build/" 2>/dev/null
[ ! -f "$build/mkdecode" ] || cp -p "$build/mkdecode" "$copy/build/"
cp "$build/liblathe.a" "$copy/build/" 2>/dev/null
find "$copy" -type f ! -path '*/build/*' -exec touch -d '4 days ago' {} +
[ ! -f "$copy/build/mkdecode" ] || touch -d '3 days ago' "$copy/build/mkdecode"
find "$copy/build/gen" "$copy/build/config.mk" -type f -exec touch -d '2 days ago' {} +

# ---- one C file ----
mkdir -p "$copy/src/hw/misc" "$copy/tests/hw/misc"
cat >"$copy/src/hw/misc/countdown.c" <<'END'
/* A one-shot down counter: write LOAD, and the line rises when reads of COUNT have used it up. */
#include "core/registers.h"

typedef struct Countdown {
    Device dev;
    uint32_t step;
    uint32_t count;
} Countdown;

static uint64_t count_read(Device *dev, unsigned index)
{
    Countdown *c = (Countdown *)dev;

    c->count -= MIN(c->step, c->count);
    device_set_irq(dev, 0, c->count == 0);
    return c->count;
}

static void load_written(Device *dev, unsigned index)
{
    device_set_irq(dev, 0, false);
}

static const Register rows[] = {
    { .name = "LOAD", .offset = 0, FIELD(Countdown, count), .writable = UINT32_MAX,
        .written = load_written },
    { .name = "COUNT", .offset = 4, .read = count_read },
};
static const RegisterBank bank = REGISTER_BANK(rows);

static bool countdown_start(Device *dev, Diag *diag)
{
    Countdown *c = (Countdown *)dev;

    if (c->step & (c->step - 1)) {
        return device_error(dev, diag, "step", "is %u, must be a power of two", c->step);
    }
    device_add_region(dev, 0, registers_region("regs", 8, &bank, dev));
    return true;
}

static void countdown_reset(Device *dev)
{
    registers_reset(&bank, dev);
    device_set_irq(dev, 0, false);
}

static const Prop countdown_props[] = { PROP(U32, Countdown, step), {} };
static const Saved countdown_saved[] = { SAVED(Countdown, count), {} };

DEVICE_CLASS(countdown) = {
    .name = "countdown", .state_size = sizeof(Countdown), .props = countdown_props,
    .saved = countdown_saved, .start = countdown_start, .reset = countdown_reset,
};
END

# ---- one schema ----
cat >"$copy/schemas/devices/countdown.v1.yaml" <<'END'
$schema: https://json-schema.org/draft/2020-12/schema
$id: urn:lathe:schema:device:countdown:1
title: One-shot down counter
type: object
required: [type, at, irq]
properties:
  type: { const: countdown }
  at: { $ref: urn:lathe:schema:common:1#/$defs/address, description: Base of the registers. }
  irq: { $ref: urn:lathe:schema:common:1#/$defs/irq, description: Rises at zero. }
  step: { type: integer, minimum: 1, maximum: 64, default: 1, description: What a read takes. }
additionalProperties: false
x-lathe:
  kind: device
  version: 1
  regions:
    regs: { size: 8B, access: [4], endian: little }
  irqs:
    intr: { trigger: level-high }
END

# ---- one test ----
cat >"$copy/tests/hw/misc/countdown.c" <<'END'
#include "tests/bench.h"

static void line_rises_when_the_count_reaches_zero(void **state)
{
    g_autoptr(Bench) bench = bench_new("{type: countdown, step: 4}");

    bench_write(bench, 0, 0x0, 4, 8);
    assert_int_equal(bench_read(bench, 0, 0x4, 4), 4);
    assert_false(bench_irq(bench, 0));
    bench_save_and_load(bench);
    assert_int_equal(bench_read(bench, 0, 0x4, 4), 0);
    bench_save_and_load(bench);
    assert_true(bench_irq(bench, 0));
}

static void step_must_be_a_power_of_two(void **state)
{
    g_autofree char *said = bench_diag("{type: countdown, step: 3}");

    assert_non_null(strstr(said, "1:25: error[E601]: `step` of `device` is 3, must be a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_rises_when_the_count_reaches_zero),
        cmocka_unit_test(step_must_be_a_power_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
END

cd "$copy" || exit 1
unset BUILD SAN MAKEFLAGS MAKELEVEL
make build/lathe build/tests/hw/misc/countdown build/tests/core/classes || exit 1
build/lathe list devices | grep '^countdown  *One-shot down counter$' || exit 1
build/tests/hw/misc/countdown && build/tests/core/classes

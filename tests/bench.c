#include "tests/bench.h"

#include "config/config.h"
#include "core/clock.h"
#include "core/device-impl.h"
#include "core/loop.h"
#include "core/state.h"
#include "tests/fake-cpu.h"

struct Bench {
    MachineSpec *spec;
    Machine *machine;
    Device *device;   /* the one under test */
    Device *front;    /* whose regions and lines a guest sees: it, or its transport */
    GPtrArray *lines; /* at the front's outputs */
    Channel *channel;
    MachineRequest request;
    int request_code;
    bool requested;
};

static GHashTable *given_drives;

void bench_give_drive(const char *name, void *drive)
{
    if (!given_drives) {
        given_drives = g_hash_table_new(g_str_hash, g_str_equal);
    }
    g_hash_table_insert(given_drives, (void *)name, drive);
}

/* ---- building ---- */

static void note_request(void *data, MachineRequest what, int code)
{
    Bench *bench = data;

    bench->request = what;
    bench->request_code = code;
    bench->requested = true;
}

static void no_sink(void *owner, unsigned index, bool level)
{
}

static void free_line(void *line)
{
    line_free(line);
}

/* The bench itself is at the other end of every line. */
static void connect_outputs(Bench *bench)
{
    DeviceParts *parts = bench->front->parts;

    for (unsigned i = 0; i < parts->output_count; i++) {
        Line *line = line_new(no_sink, NULL, i);

        g_ptr_array_add(bench->lines, line);
        if (!parts->outputs[i]) {
            device_connect(bench->front, i, line);
        }
    }
}

/* The one spec that the loader made, as the bench wants it: two CPUs, and no line connected. */
static void adapt_spec(MachineSpec *spec)
{
    CpuClusterSpec *cluster = (CpuClusterSpec *)spec->clusters;

    g_assert(spec->cluster_count == 1);
    cluster->count.value = BENCH_CPUS;
    for (unsigned i = 0; i < spec->device_count; i++) {
        ((DeviceSpec *)spec->devices)[i].irq_count = 0;
    }
}

/* What it plugs into comes before it. */
static const DeviceSpec *spec_under_test(const MachineSpec *spec)
{
    return &spec->devices[spec->device_count - 1];
}

static void give_host_ends(Bench *bench)
{
    const PropSpec *console = device_spec_prop(spec_under_test(bench->spec), "console");
    GHashTableIter iter;
    void *name, *drive;

    if (console) {
        machine_set_channel(bench->machine, console->text, bench->channel);
    }
    if (given_drives) {
        g_hash_table_iter_init(&iter, given_drives);
        while (g_hash_table_iter_next(&iter, &name, &drive)) {
            machine_set_drive(bench->machine, name, drive);
        }
    }
    g_clear_pointer(&given_drives, g_hash_table_unref);
}

static bool build(Bench *bench, const char *yaml, Diag *diag)
{
    bench->lines = g_ptr_array_new_with_free_func(free_line);
    bench->channel = channel_new_memory(0);
    bench->spec = config_load_device_text(yaml, diag);
    if (!bench->spec) {
        return false;
    }
    adapt_spec(bench->spec);
    bench->machine = machine_new(bench->spec);
    machine_use_stepped_clock(bench->machine);
    machine_on_request(bench->machine, note_request, bench);
    give_host_ends(bench);
    if (!machine_build(bench->machine, fake_cpu_create, diag)) {
        return false;
    }
    bench->device = machine_find_device(bench->machine, spec_under_test(bench->spec)->id);
    bench->front = bench->device->parent ? bench->device->parent : bench->device;
    connect_outputs(bench);
    return true;
}

Bench *bench_new(const char *yaml)
{
    Bench *bench = g_new0(Bench, 1);
    g_autoptr(Diag) diag = diag_new();

    if (!build(bench, yaml, diag)) {
        g_autofree char *said = diag_to_string(diag, DIAG_SHORT);

        bench_free(bench);
        fail_msg("%s: %s", yaml, said);
    }
    bench_reset(bench);
    return bench;
}

void bench_free(Bench *bench)
{
    if (bench) {
        machine_free(bench->machine);
        machine_spec_free(bench->spec);
        channel_free(bench->channel);
        g_ptr_array_unref(bench->lines);
        g_free(bench);
    }
}

char *bench_diag(const char *yaml)
{
    Bench *bench = g_new0(Bench, 1);
    g_autoptr(Diag) diag = diag_new();
    bool fine = build(bench, yaml, diag);

    bench_free(bench);
    assert_false(fine);
    return diag_to_string(diag, DIAG_SHORT);
}

Device *bench_device(Bench *bench)
{
    return bench->device;
}

Machine *bench_machine(Bench *bench)
{
    return bench->machine;
}

/* ---- the guest's side ---- */

typedef struct Target {
    Region *region;
    uint64_t offset;
} Target;

/* What a CPU finds at an offset of a region: it may be a container. */
static Target find_target(Bench *bench, unsigned index, uint64_t offset)
{
    Region *region = device_region(bench->front, index);
    AddressSpace *memory = machine_memory(bench->machine);
    Target target = { region, offset };
    const FlatRange *range;
    GuestAddr base;

    assert_non_null(region);
    if (region_kind(region) == REGION_CONTAINER && region_address(region, &base)) {
        range = flat_map_find(address_space_enter(memory), base + offset);
        assert_non_null(range);
        target = (Target){ range->region, range->offset + (base + offset - range->start) };
        address_space_leave(memory);
    }
    return target;
}

MemResult bench_try_read(
    Bench *bench, unsigned region, uint64_t offset, unsigned size, uint64_t *value)
{
    Target target = find_target(bench, region, offset);

    return region_read(target.region, target.offset, size, value);
}

MemResult bench_try_write(
    Bench *bench, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    Target target = find_target(bench, region, offset);

    return region_write(target.region, target.offset, size, value);
}

uint64_t bench_read(Bench *bench, unsigned region, uint64_t offset, unsigned size)
{
    uint64_t value;

    assert_int_equal(bench_try_read(bench, region, offset, size, &value), MEM_OK);
    return value;
}

void bench_write(Bench *bench, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    assert_int_equal(bench_try_write(bench, region, offset, size, value), MEM_OK);
}

uint8_t *bench_ram(Bench *bench)
{
    uint64_t length = BENCH_RAM_SIZE;

    return address_space_map_ram(machine_memory(bench->machine), BENCH_RAM, &length, true);
}

/* ---- lines ---- */

bool bench_irq(Bench *bench, unsigned output)
{
    assert_in_range(output, 0, bench->front->spec->type->output_count - 1);
    return line_level(bench->front->parts->outputs[output]);
}

bool bench_cpu_input(Bench *bench, unsigned cpu, unsigned input)
{
    return line_level(device_input(&machine_cpu(bench->machine, cpu)->dev, input));
}

void bench_set_input(Bench *bench, const char *group, unsigned number, bool level)
{
    Line *line = device_named_input(bench->device, group, number);
    bool taken = machine_lock_ensure();

    assert_non_null(line);
    line_set(line, level);
    machine_lock_restore(taken);
}

/* ---- time, reset, snapshots ---- */

void bench_advance(Bench *bench, int64_t ns)
{
    clock_step(machine_clock(bench->machine), ns);
    while (loop_poll()) {}
}

void bench_reset(Bench *bench)
{
    machine_reset(bench->machine);
}

void bench_save_and_load(Bench *bench)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) state = state_save(bench->machine);

    machine_reset(bench->machine);
    memset(bench_ram(bench), 0xa5, 4096);
    if (!state_load(bench->machine, state, &error)) {
        fail_msg("%s", error->message);
    }
}

/* ---- the host's side ---- */

char *bench_output(Bench *bench)
{
    bool taken = machine_lock_ensure();
    char *text = channel_memory_fetch(bench->channel);

    machine_lock_restore(taken);
    return text;
}

void bench_type(Bench *bench, const char *text)
{
    bool taken = machine_lock_ensure();

    channel_memory_type(bench->channel, text);
    machine_lock_restore(taken);
}

int bench_request(Bench *bench, int *code)
{
    while (loop_poll()) {}
    if (!bench->requested) {
        return -1;
    }
    bench->requested = false;
    if (code) {
        *code = bench->request_code;
    }
    return bench->request;
}

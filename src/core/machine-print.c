#include "core/machine-print.h"

#include <inttypes.h>

static void print_text(FILE *out, const char *name, const char *text)
{
    if (text) {
        fprintf(out, "%s: %s\n", name, text);
    }
}

static void print_number(FILE *out, const char *name, SpecNumber number)
{
    if (number.set) {
        fprintf(out, "%s: 0x%" PRIx64 "\n", name, number.value);
    }
}

static void print_cluster(const CpuClusterSpec *cluster, FILE *out)
{
    fprintf(out, "cpus %s: %" PRIu64 " x %s %s from %u, timebase %" PRIu64 " Hz\n", cluster->name,
        cluster->count.value, cluster->isa, cluster->model.text, cluster->first,
        cluster->timebase_hz);
    if (cluster->semihosting) {
        fputs("  semihosting\n", out);
    }
    for (unsigned i = 0; i < cluster->feature_count; i++) {
        fprintf(out, "  %s%s\n", cluster->features[i].on ? "+" : "-", cluster->features[i].name);
    }
}

static void print_prop(const PropSpec *prop, FILE *out)
{
    fprintf(out, "  %s:", prop->name);
    switch (prop->kind) {
    case VALUE_BOOL: fputs(prop->number ? " true" : " false", out); break;
    case VALUE_NUMBER: fprintf(out, " %" PRIu64, prop->number); break;
    case VALUE_STRING: fprintf(out, " \"%s\"", prop->text); break;
    case VALUE_NUMBERS:
        for (unsigned i = 0; i < prop->count; i++) {
            fprintf(out, " %" PRIu64, prop->numbers[i]);
        }
        break;
    case VALUE_STRINGS:
        for (unsigned i = 0; i < prop->count; i++) {
            fprintf(out, " \"%s\"", prop->strings[i]);
        }
        break;
    }
    fputs(prop->is_default ? " (default)\n" : "\n", out);
}

static void print_device(const DeviceSpec *device, FILE *out)
{
    fprintf(out, "device %s: %s", device->id, device->type->name);
    fprintf(out, device->slot ? " in %s\n" : "\n", device->slot);
    for (unsigned i = 0; i < device->region_count; i++) {
        const RegionSpec *region = &device->regions[i];

        fprintf(out, "  region %s: 0x%" PRIx64 " + 0x%" PRIx64 "\n", region->name, region->at,
            region->size);
    }
    for (unsigned i = 0; i < device->irq_count; i++) {
        const IrqSpec *irq = &device->irqs[i];

        fprintf(out, "  irq %s: %s %s.%u\n", device->type->outputs[irq->output].name,
            irq->controller, irq->group, irq->line);
    }
    for (unsigned i = 0; i < device->clock_count; i++) {
        const ClockUse *use = &device->clocks[i];

        fprintf(out, "  clock %s: %s, %" PRIu64 " Hz\n", use->name, use->clock, use->rate_hz);
    }
    for (unsigned i = 0; i < device->prop_count; i++) {
        print_prop(&device->props[i], out);
    }
}

static void print_throttle(const DriveThrottle *throttle, FILE *out)
{
    print_text(out, "  throttle group", throttle->group.text);
    for (unsigned i = 0; i < LIMITS; i++) {
        const DriveLimit *limit = &throttle->limits[i];

        if (limit->rate > 0) {
            fprintf(out, "  %s: %" PRIu64 ", burst %" PRIu64 " for %" PRIu64 " ns\n",
                drive_limit_words[i], limit->rate, limit->burst, limit->burst_ns);
        }
    }
}

static void print_drive(const DriveSpec *drive, FILE *out)
{
    static const char *const overlays[] = {
        [OVERLAY_NONE] = "none", [OVERLAY_EPHEMERAL] = "ephemeral", [OVERLAY_KEEP] = "keep"
    };

    fprintf(out, "drive %s: %s", drive->id, drive->format.text ? drive->format.text : "?");
    fprintf(out, drive->path.text ? " %s\n" : "\n", drive->path.text);
    print_number(out, "  size", drive->size);
    fprintf(out, "  cache: %s (%s, %s%s)\n", drive->cache.word,
        drive->cache.writeback ? "writeback" : "writethrough",
        drive->cache.direct ? "direct" : "page cache", drive->cache.no_flush ? ", no flush" : "");
    fprintf(out, "  aio: %s, overlay: %s%s%s\n", drive_aio_words[drive->aio],
        overlays[drive->overlay], drive->read_only ? ", read-only" : "",
        drive->discard ? ", discard" : "");
    fprintf(out, "  on error: read %s, write %s; zeroes: %s%s\n",
        drive_on_error_words[drive->on_read_error], drive_on_error_words[drive->on_write_error],
        drive_zeroes_words[drive->zeroes], drive->copy_on_read ? ", copy on read" : "");
    print_throttle(&drive->throttle, out);
    print_text(out, "  serial", drive->serial);
}

static void print_boot(const BootSpec *boot, FILE *out)
{
    print_text(out, "firmware", boot->firmware.text);
    print_number(out, "firmware at", boot->firmware_at);
    print_text(out, "kernel", boot->kernel.text);
    print_number(out, "kernel at", boot->kernel_at);
    print_text(out, "initrd", boot->initrd.text);
    print_number(out, "initrd at", boot->initrd_at);
    print_text(out, "fdt", boot->fdt.text);
    print_number(out, "fdt at", boot->fdt_at);
    print_text(out, "cmdline", boot->cmdline.text);
}

void machine_spec_print(const MachineSpec *spec, FILE *out)
{
    static const char *const kinds[] = {
        [MEMORY_RAM] = "ram", [MEMORY_ROM] = "rom", [MEMORY_FLASH] = "flash"
    };

    print_text(out, "name", spec->name.text);
    fprintf(out, "board: %s %s (%s)\n", spec->board, spec->board_version, spec->arch);
    for (unsigned i = 0; i < spec->cluster_count; i++) {
        print_cluster(&spec->clusters[i], out);
    }
    for (unsigned i = 0; i < spec->memory_count; i++) {
        const MemorySpec *memory = &spec->memory[i];

        fprintf(out, "memory %s: %s 0x%" PRIx64 " + 0x%" PRIx64 "\n", memory->name,
            kinds[memory->kind], memory->at, memory->size);
    }
    for (unsigned i = 0; i < spec->clock_count; i++) {
        fprintf(out, "clock %s: %" PRIu64 " Hz\n", spec->clocks[i].id, spec->clocks[i].rate_hz);
    }
    for (unsigned i = 0; i < spec->device_count; i++) {
        print_device(&spec->devices[i], out);
    }
    for (unsigned i = 0; i < spec->drive_count; i++) {
        print_drive(&spec->drives[i], out);
    }
    print_boot(&spec->boot, out);
    print_number(out, "entropy seed", spec->entropy_seed);
    print_number(out, "start time", spec->start_time);
    fprintf(out, "clock mode: %s\n", spec->virtual_clock ? "virtual" : "host");
    for (unsigned i = 0; i < spec->not_yet_count; i++) {
        print_text(out, "not yet", spec->not_yet[i].path);
    }
}

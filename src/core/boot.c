#include "core/boot.h"

#include <errno.h>
#include <libfdt.h>
#include <string.h>
#include <sys/random.h>

#include "core/boot-files.h"
#include "core/build-impl.h"
#include "core/diag.h"
#include "core/fdt.h"
#include "core/loop.h"
#include "core/trace.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

/* Something that is in RAM before the first instruction. */
typedef struct Part {
    const char *what; /* "kernel": also the key under `boot` */
    Mark mark;
    Image *image; /* or: */
    GBytes *bytes;
    GuestAddr base; /* is added to the image's addresses */
    GuestAddr first, end;
} Part;

struct Boot {
    GArray *parts; /* Part */
    const MemorySpec *ram;
    GuestAddr fdt_at, info_at;
    GuestAddr initrd_first, initrd_end;
};

static uint64_t align_up(uint64_t value, uint64_t to)
{
    return (value + to - 1) & ~(to - 1);
}

static uint64_t align_down(uint64_t value, uint64_t to)
{
    return value & ~(to - 1);
}

static GuestAddr ram_end(const struct Boot *boot)
{
    return boot->ram->at + boot->ram->size;
}

/* ---- parts ---- */

/* Where ROM or flash begins there is room as far as it goes; else in RAM. */
static bool too_big(const Machine *machine, const Part *part, Diag *diag)
{
    const struct Boot *boot = machine->boot;
    uint64_t wanted = align_up(part->end - MIN(part->end, boot->ram->at), 64 * MIB);
    uint64_t rom = part->end - part->first;

    if (address_space_map_memory(machine_all_memory(machine), part->first, &rom) &&
        part->first < boot->ram->at) {
        diag_error(diag, DIAG_TOO_BIG, part->mark,
            "`%s` has %" G_GUINT64_FORMAT " bytes, and at 0x%" G_GINT64_MODIFIER
            "x there is memory for %" G_GUINT64_FORMAT,
            part->what, part->end - part->first, part->first, rom);
        diag_hint(diag, "it must fit there, or be an ELF file that goes to RAM");
        return false;
    }
    diag_error(diag, DIAG_TOO_BIG, part->mark,
        "`%s` takes 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER
        "x, and RAM is from 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER "x",
        part->what, part->first, part->end - 1, boot->ram->at, ram_end(boot) - 1);
    if (part->first >= boot->ram->at) {
        diag_hint(
            diag, "give the machine `memory: %" G_GUINT64_FORMAT "MiB` or more", wanted / MIB);
    }
    return false;
}

static void clear_part(void *data)
{
    Part *part = data;

    image_free(part->image);
    g_clear_pointer(&part->bytes, g_bytes_unref);
}

static bool in_ram(const struct Boot *boot, const Part *part)
{
    return part->first >= boot->ram->at && part->end <= ram_end(boot) && part->first < part->end;
}

/* All of it in one ROM or flash. */
static bool in_rom(const Machine *machine, const Part *part)
{
    uint64_t wanted = part->end - part->first, room = wanted;

    return wanted > 0 &&
        address_space_map_memory(machine_all_memory(machine), part->first, &room) && room == wanted;
}

/* Takes what the part owns. */
static bool add_part(const Machine *machine, Part part, Diag *diag)
{
    struct Boot *boot = machine->boot;
    bool fine = in_ram(boot, &part) || in_rom(machine, &part) || too_big(machine, &part, diag);

    for (unsigned i = 0; fine && i < boot->parts->len; i++) {
        const Part *other = &g_array_index(boot->parts, Part, i);

        if (part.first < other->end && other->first < part.end) {
            fine = diag_error(diag, DIAG_TOO_BIG, part.mark,
                "`%s` begins at 0x%" G_GINT64_MODIFIER "x, but `%s` is from 0x%" G_GINT64_MODIFIER
                "x to 0x%" G_GINT64_MODIFIER "x",
                part.what, part.first, other->what, other->first, other->end - 1);
        }
    }
    g_array_append_val(boot->parts, part);
    TRACE(boot, "%s: 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER "x", part.what, part.first,
        part.end - 1);
    return fine;
}

/* The part of that name, or NULL. */
static const Part *find_part(const struct Boot *boot, const char *what)
{
    for (unsigned i = 0; i < boot->parts->len; i++) {
        const Part *part = &g_array_index(boot->parts, Part, i);

        if (g_str_equal(part->what, what)) {
            return part;
        }
    }
    return NULL;
}

/* Kernel or firmware: an ELF where it says, all else where the board says. */
static bool add_image(
    Machine *machine, const char *what, const SpecText *file, const SpecNumber *at, Diag *diag)
{
    struct Boot *boot = machine->boot;
    Part part = { .what = what, .mark = file->mark };

    if (!file->text) {
        return true;
    }
    part.image = boot_file_open(file, BOOT_CODE, machine->spec->arch, diag);
    if (!part.image) {
        return false;
    }
    if (part.image->kind == IMAGE_LINUX && !at->set) {
        part.base = align_up(boot->ram->at, 2 * MIB) + part.image->text_offset;
    } else if (part.image->kind != IMAGE_ELF) {
        part.base = at->set ? at->value : boot->ram->at;
    }
    image_span(part.image, &part.first, &part.end);
    part.first += part.base;
    part.end += part.base;
    return add_part(machine, part, diag);
}

/* Below 3 GiB where there is RAM, for early code of kernels that are 32 bits wide. */
static GuestAddr top_of_low_ram(const struct Boot *boot)
{
    return boot->ram->at < 3 * GIB ? MIN(ram_end(boot), 3 * GIB) : ram_end(boot);
}

/* Leaves room above the kernel for what it unpacks, but not at the cost of small machines. */
static GuestAddr initrd_place(const struct Boot *boot)
{
    const Part *kernel = find_part(boot, "kernel");
    GuestAddr from = kernel ? kernel->first : boot->ram->at;
    GuestAddr place = from + MIN(boot->ram->size / 2, 128 * MIB);

    return align_up(kernel ? MAX(place, kernel->end) : place, 4 * KIB);
}

static bool add_initrd(Machine *machine, Diag *diag)
{
    const BootSpec *spec = &machine->spec->boot;
    struct Boot *boot = machine->boot;
    Part part = { .what = "initrd", .mark = spec->initrd.mark };

    if (!spec->initrd.text) {
        return true;
    }
    part.image = boot_file_open(&spec->initrd, BOOT_INITRD, machine->spec->arch, diag);
    if (!part.image) {
        return false;
    }
    part.base = spec->initrd_at.set ? spec->initrd_at.value : initrd_place(boot);
    part.first = boot->initrd_first = part.base;
    part.end = boot->initrd_end = part.base + part.image->length;
    return add_part(machine, part, diag);
}

/* ---- the device tree ---- */

/* Random numbers for the guest's first moments, which it cannot have from a device yet. */
static void put_seed(const MachineSpec *spec, FdtNode *chosen)
{
    uint8_t seed[32];
    size_t size = sizeof(seed);

    if (spec->entropy_seed.set) {
        g_autoptr(GChecksum) hash = g_checksum_new(G_CHECKSUM_SHA256);

        g_checksum_update(hash, (const uint8_t *)"rng-seed", 8);
        g_checksum_update(hash, (const uint8_t *)&spec->entropy_seed.value, sizeof(uint64_t));
        g_checksum_get_digest(hash, seed, &size);
    } else if (getrandom(seed, size, 0) != (ssize_t)size) {
        return;
    }
    fdt_put_bytes(chosen, "rng-seed", seed, size);
}

static GBytes *make_tree(Machine *machine)
{
    g_autoptr(Fdt) fdt = fdt_of_machine(machine);
    FdtNode *chosen = fdt_child(fdt_root(fdt), "chosen");

    if (machine->boot->initrd_end) {
        fdt_put_u64(chosen, "linux,initrd-start", machine->boot->initrd_first);
        fdt_put_u64(chosen, "linux,initrd-end", machine->boot->initrd_end);
    }
    put_seed(machine->spec, chosen);
    return fdt_encode(fdt);
}

/* A tree from a file, as it is: what the guest is told then is its author's affair. */
static GBytes *read_tree(const SpecText *file, Diag *diag)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *data = NULL;
    size_t size;

    if (!boot_file_check(file, BOOT_TREE, diag)) {
        return NULL;
    }
    if (!g_file_get_contents(file->text, &data, &size, &error)) {
        diag_error(diag, DIAG_FILE_MISSING, file->mark, "%s", error->message);
        return NULL;
    }
    if (size < sizeof(struct fdt_header) || fdt_check_header(data) || fdt_totalsize(data) > size) {
        diag_error(diag, DIAG_BAD_IMAGE, file->mark, "`%s` is not a device tree blob", file->text);
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&data), size);
}

static GBytes *refuse_overlay(const SpecText *file, Diag *diag, int error)
{
    diag_error(diag, DIAG_BAD_IMAGE, file->mark, "the overlay `%s` does not apply: %s", file->text,
        fdt_strerror(error));
    diag_hint(diag,
        error == -FDT_ERR_NOTFOUND || error == -FDT_ERR_BADPATH
            ? "its fragments name places by `target-path`, or by labels of a tree made with `dtc "
              "-@`"
            : "make it with `dtc -@ -O dtb -o x.dtbo x.dts`, its source beginning with /plugin/;");
    return NULL;
}

/* Takes the tree. Its tree and the overlay are spoilt by a failure, so both are copies. */
static GBytes *with_overlay(GBytes *tree, const SpecText *file, Diag *diag)
{
    g_autoptr(GBytes) base = tree, overlay = read_tree(file, diag);
    g_autofree uint8_t *result = NULL, *applied = NULL;
    size_t base_size = g_bytes_get_size(base), size, room;
    int error;

    if (!overlay) {
        return NULL;
    }
    size = g_bytes_get_size(overlay);
    error = fdt_check_full(g_bytes_get_data(overlay, NULL), size);
    if (!error) {
        error = fdt_check_full(g_bytes_get_data(base, NULL), base_size);
    }
    room = base_size + 2 * size + 4096;
    result = g_malloc0(room);
    applied = g_memdup2(g_bytes_get_data(overlay, NULL), size);
    if (!error) {
        error = fdt_open_into(g_bytes_get_data(base, NULL), result, (int)room);
    }
    if (!error) {
        error = fdt_overlay_apply(result, applied);
    }
    if (error) {
        return refuse_overlay(file, diag, error);
    }
    fdt_pack(result);
    size = fdt_totalsize(result);
    return g_bytes_new_take(g_steal_pointer(&result), size);
}

static bool add_tree(Machine *machine, Diag *diag)
{
    const BootSpec *spec = &machine->spec->boot;
    struct Boot *boot = machine->boot;
    Part part = { .what = "fdt", .mark = spec->fdt.text ? spec->fdt.mark : boot->ram->mark };
    uint64_t size;

    part.bytes = spec->fdt.text ? read_tree(&spec->fdt, diag) : make_tree(machine);
    if (part.bytes && spec->fdt_overlay.text) {
        part.bytes = with_overlay(part.bytes, &spec->fdt_overlay, diag);
    }
    if (!part.bytes) {
        return false;
    }
    size = g_bytes_get_size(part.bytes);
    part.first = spec->fdt_at.set
        ? spec->fdt_at.value
        : align_down(top_of_low_ram(boot) - MIN(size, boot->ram->size), 2 * MIB);
    part.end = part.first + size;
    boot->fdt_at = part.first;
    return add_part(machine, part, diag);
}

/* ---- OpenSBI's fw_dynamic (OpenSBI, docs/firmware/fw_dynamic.md) ---- */

static GBytes *dynamic_info(bool wide, GuestAddr next)
{
    enum { MAGIC = 0x4942534f, VERSION = 2, SUPERVISOR = 1, BOOT_HART = 0 };
    const uint64_t fields[] = { MAGIC, VERSION, next, SUPERVISOR, 0, BOOT_HART };
    GByteArray *bytes = g_byte_array_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        uint64_t field = GUINT64_TO_LE(fields[i]);

        g_byte_array_append(bytes, (const uint8_t *)&field, wide ? 8 : 4);
    }
    return g_byte_array_free_to_bytes(bytes);
}

static GuestAddr part_entry(const Part *part)
{
    return part->base + part->image->entry;
}

/* Told to every firmware: those that know nothing of it ignore a register. */
static bool add_dynamic_info(Machine *machine, Diag *diag)
{
    struct Boot *boot = machine->boot;
    const Part *kernel = find_part(boot, "kernel");
    Part part = { .what = "fw_dynamic info", .mark = machine->spec->boot.firmware.mark };

    if (!find_part(boot, "firmware")) {
        return true;
    }
    part.bytes = dynamic_info(
        g_str_equal(machine->spec->arch, "riscv64"), kernel ? part_entry(kernel) : 0);
    part.first = boot->info_at = align_down(boot->fdt_at, 4 * KIB) - 4 * KIB;
    part.end = part.first + g_bytes_get_size(part.bytes);
    return add_part(machine, part, diag);
}

/* ---- how each kind of CPU begins ---- */

typedef struct Protocol {
    const char *arch;
    bool (*prepare)(Machine *machine, Diag *diag); /* optional: more parts */
    CpuEntry (*entry)(const Machine *machine, unsigned cpu, const Part *first);
} Protocol;

/* RISC-V: a0 is the hart, a1 the tree; every hart begins, firmware or kernel picks one. */
static CpuEntry riscv_entry(const Machine *machine, unsigned cpu, const Part *first)
{
    const struct Boot *boot = machine->boot;

    return (CpuEntry){ .pc = part_entry(first), .args = { cpu, boot->fdt_at, boot->info_at } };
}

static bool has_psci(const Machine *machine)
{
    return machine->spec->cluster_count && machine->spec->clusters[0].psci_conduit;
}

/* Where the board leaves PSCI to firmware, with EL3, a kernel cannot do without it. */
static bool need_psci(Machine *machine, Diag *diag)
{
    if (!has_psci(machine) && !find_part(machine->boot, "firmware")) {
        diag_error(diag, DIAG_NOTHING_TO_BOOT, machine->spec->boot.kernel.mark,
            "`boot.kernel` needs `boot.firmware` here: with EL3, PSCI is the firmware's");
        diag_hint(
            diag, "name firmware, or choose `levels: el2` or `el1` among the board's options");
        return false;
    }
    return true;
}

/* arm64: x0 is the tree; the other CPUs wait for PSCI, or begin with the first one where firmware answers it. */
static CpuEntry arm64_entry(const Machine *machine, unsigned cpu, const Part *first)
{
    return (CpuEntry){
        .pc = part_entry(first),
        .args = { machine->boot->fdt_at },
        .held = cpu > 0 && has_psci(machine),
    };
}

static const Protocol protocols[] = {
    { "riscv64", add_dynamic_info, riscv_entry },
    { "riscv32", add_dynamic_info, riscv_entry },
    { "aarch64", need_psci, arm64_entry },
};

static const Protocol *find_protocol(const char *arch)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(protocols); i++) {
        if (g_str_equal(protocols[i].arch, arch)) {
            return &protocols[i];
        }
    }
    return NULL;
}

static void set_entries(Machine *machine, const Protocol *protocol)
{
    const Part *firmware = find_part(machine->boot, "firmware");
    const Part *first = firmware ? firmware : find_part(machine->boot, "kernel");

    for (unsigned i = 0; i < machine->cpus->len; i++) {
        Cpu *cpu = machine->cpus->pdata[i];

        cpu->entry = protocol->entry(machine, i, first);
        TRACE(boot, "cpu%u: at 0x%" G_GINT64_MODIFIER "x%s", i, cpu->entry.pc,
            cpu->entry.held ? ", held" : "");
        cpu->dev.class->reset(&cpu->dev);
    }
}

/* ---- all of it ---- */

static bool is_main_memory(const MemorySpec *memory)
{
    return memory->kind == MEMORY_RAM && memory->size > 0 && !memory->secure;
}

/* The first RAM of the board: the one that everything above goes to. */
static const MemorySpec *main_ram(const MachineSpec *spec)
{
    for (unsigned i = 0; i < spec->memory_count; i++) {
        if (is_main_memory(&spec->memory[i])) {
            return &spec->memory[i];
        }
    }
    return NULL;
}

static bool place_part(const Machine *machine, const Part *part, GError **error)
{
    bool fine;

    if (part->image) {
        fine = image_place(part->image, machine_all_memory(machine), part->base, error);
        image_unload(part->image);
        return fine;
    }
    /* It was checked to be in RAM. */
    address_space_write(machine_all_memory(machine), part->first,
        g_bytes_get_data(part->bytes, NULL), g_bytes_get_size(part->bytes));
    return true;
}

static bool place_all(Machine *machine, Diag *diag)
{
    bool fine = true;

    for (unsigned i = 0; i < machine->boot->parts->len; i++) {
        const Part *part = &g_array_index(machine->boot->parts, Part, i);
        g_autoptr(GError) error = NULL;

        if (!place_part(machine, part, &error)) {
            fine = boot_file_error(part->mark, error, diag);
        }
    }
    return fine;
}

static bool add_parts(Machine *machine, const Protocol *protocol, Diag *diag)
{
    const BootSpec *spec = &machine->spec->boot;
    bool fine = add_image(machine, "firmware", &spec->firmware, &spec->firmware_at, diag);

    fine = add_image(machine, "kernel", &spec->kernel, &spec->kernel_at, diag) && fine;
    fine = add_initrd(machine, diag) && fine;
    return fine && add_tree(machine, diag) &&
        (!protocol->prepare || protocol->prepare(machine, diag));
}

static bool load(Machine *machine, Diag *diag)
{
    const MachineSpec *spec = machine->spec;
    const Protocol *protocol = find_protocol(spec->arch);

    machine->boot = g_new0(struct Boot, 1);
    machine->boot->parts = g_array_new(false, false, sizeof(Part));
    g_array_set_clear_func(machine->boot->parts, clear_part);
    machine->boot->ram = main_ram(spec);
    if (!protocol || !machine->boot->ram) {
        return diag_error(diag, DIAG_NOTHING_TO_BOOT, spec->board_mark, "the board has no %s",
            protocol ? "RAM" : "boot protocol");
    }
    if (!spec->boot.kernel.text && !spec->boot.firmware.text) {
        diag_error(diag, DIAG_NOTHING_TO_BOOT, spec->board_mark,
            "there is neither `boot.kernel` nor `boot.firmware`");
        diag_hint(diag, "name a file under `boot`");
        return false;
    }
    if (!add_parts(machine, protocol, diag) || !place_all(machine, diag)) {
        return false;
    }
    set_entries(machine, protocol);
    return true;
}

bool machine_load_boot(Machine *machine, Diag *diag)
{
    bool taken = machine_lock_ensure();
    bool fine = load(machine, diag);

    machine_lock_restore(taken);
    return fine;
}

void machine_reload_boot(Machine *machine)
{
    for (unsigned i = 0; machine->boot && i < machine->boot->parts->len; i++) {
        const Part *part = &g_array_index(machine->boot->parts, Part, i);
        g_autoptr(GError) error = NULL;

        if (!in_ram(machine->boot, part)) {
            continue; /* ROM and flash keep what they hold */
        }
        /* Somebody cut the file while the machine ran: the guest finds what was there before. */
        if (!place_part(machine, part, &error)) {
            g_warning("%s", error->message);
        }
    }
}

void machine_free_boot(Machine *machine)
{
    if (machine->boot) {
        g_array_unref(machine->boot->parts);
        g_clear_pointer(&machine->boot, g_free);
    }
}

char *machine_symbol(const Machine *machine, GuestAddr at)
{
    for (unsigned i = 0; machine->boot && i < machine->boot->parts->len; i++) {
        const Part *part = &g_array_index(machine->boot->parts, Part, i);
        const ImageSymbol *symbol = part->image ? image_symbol(part->image, at) : NULL;

        if (symbol) {
            return g_strdup_printf("%s+0x%" G_GINT64_MODIFIER "x", symbol->name, at - symbol->at);
        }
    }
    return NULL;
}

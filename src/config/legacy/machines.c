/* What `qemu-system-ARCH -M NAME,help` and qom-list of /machine list in QEMU 7.2, and -smp there. */
#include "config/legacy/machines.h"

#include <string.h>

/* A machine by its name without a version: `virt`, or of some programs only, `virt@arm`. */

/* ---- CPUs ---- */

/* clang-format off */
static const struct {
    unsigned least, most;
    const char *machines;
} cpu_rows[] = {
    { 1, 2, "mcimx7d-sabre midway" },
    { 2, 2, "ast2600-evb bletchley-bmc fby35-bmc fuji-bmc kudo-bmc mori-bmc mps2-an521 mps3-an524 musca-a "
            "musca-b1 npcm750-evb nuri qcom-dc-scm-v1-bmc qcom-firework-bmc quanta-gbs-bmc quanta-gsj rainier-bmc "
            "smdkc210 tacoma-bmc" },
    { 3, 3, "fby35" },
    { 1, 4, "SS-10 SS-20 SS-600MP clipper highbank or1k-sim realview-eb-mpcore realview-pbx-a9 sabrelite sim "
            "vexpress-a15 vexpress-a9 virt@loongarch64 virt@or1k" },
    { 4, 4, "orangepi-pc raspi2b raspi2 raspi3ap raspi3b raspi3 xlnx-versal-virt" },
    { 2, 5, "microchip-icicle-kit sifive_u" },
    { 1, 6, "xlnx-zcu102" },
    { 1, 8, "spike" },
    { 1, 15, "mpc8544ds" },
    { 1, 16, "boston hppa loongson3-virt malta" },
    { 1, 32, "kc705 kc705-nommu lx200 lx200-nommu lx60 lx60-nommu ml605 ml605-nommu ppce500 virt@xtensa "
             "virt@xtensaeb" },
    { 1, 248, "s390-ccw-virtio" },
    { 1, 255, "pc-i440fx" },
    { 1, 288, "microvm pc-q35" },
    { 1, 512, "sbsa-ref virt@arm virt@aarch64 virt@riscv32 virt@riscv64" },
    { 1, 2048, "powernv powernv10 powernv8 powernv9" },
    { 1, 4096, "pseries pseries-2.12-sxxm" },
};

/* What older versions had less. */
static const struct {
    unsigned most;
    const char *machines;
} old_rows[] = {
    { 255, "pc-q35-2.4 pc-q35-2.5 pc-q35-2.6 pc-q35-2.7 virt-2.6 virt-2.7 virt-2.8 virt-2.9 virt-2.10 virt-2.11 "
           "virt-2.12" },
};

/* ---- properties ---- */

/* Types: b on or off, a on, off or auto, z a size, s any text. A name with a dot is its front's. */
static const struct {
    const char *machines, *properties; /* NULL: all */
} property_rows[] = {
    { NULL, "type:s accel:s aes-key-wrap:b append:s boot:s confidential-guest-support:s dea-key-wrap:b dt-compatible:s dtb:s dump-guest-core:b "
            "dumpdtb:s firmware:s graphics:b igd-passthru:b initrd:s kernel:s kernel-irqchip:s kvm-shadow-mem:z "
            "mem-merge:b memory:s memory-backend:s memory-encryption:s phandle-start:s smp:s suppress-vmdesc:b usb:b" },
    { "isapc pc-i440fx pc-q35",
      "acpi:a bus-lock-ratelimit:s cxl:b cxl-fmw:s default-bus-bypass-iommu:b hmat:b hpet:b i8042:b max-fw-size:z "
      "max-ram-below-4g:z nvdimm:b nvdimm-persistence:s pcspk-audiodev:s pflash0:s pflash1:s pic:a pit:a sata:b "
      "sgx-epc:s smbios-entry-point-type:s smbus:b smm:a vmport:a x-oem-id:s x-oem-table-id:s" },
    { "microvm",
      "acpi:a auto-kernel-cmdline:b bus-lock-ratelimit:s hmat:b ioapic2:a isa-serial:b pcie:a pic:a pit:a rtc:a "
      "sgx-epc:s smm:a x-oem-id:s x-oem-table-id:s x-option-roms:b" },
    { "x-remote", "auto-shutdown:b vfio-user:b" },
    { "virt@arm virt@aarch64",
      "acpi:a default-bus-bypass-iommu:b dtb-kaslr-seed:b dtb-randomness:b gic-version:s highmem:b hmat:b iommu:s "
      "its:b mte:b nvdimm:b nvdimm-persistence:s pflash0:s pflash1:s ras:b secure:b virtualization:b x-oem-id:s "
      "x-oem-table-id:s" },
    { "virt@riscv32 virt@riscv64", "aclint:b aia:s aia-guests:s hmat:b pflash0:s pflash1:s" },
    { "virt@loongarch64", "acpi:a" },
    { "sbsa-ref", "hmat:b pflash0:s pflash1:s" },
    { "vexpress-a15 vexpress-a9 xlnx-zcu102", "secure:b" },
    { "vexpress-a15 xlnx-zcu102", "virtualization:b" },
    { "xlnx-zcu102", "canbus0:s canbus1:s" },
    { "ast1030-evb ast2500-evb ast2600-evb bletchley-bmc fby35 fby35-bmc fp5280g2-bmc fuji-bmc g220a-bmc palmetto-bmc "
      "qcom-dc-scm-v1-bmc qcom-firework-bmc quanta-q71l-bmc rainier-bmc romulus-bmc sonorapass-bmc supermicrox11-bmc "
      "tacoma-bmc witherspoon-bmc", "execute-in-place:b fmc-model:s spi-model:s" },
    { "mps3-an524", "remap:s" },
    { "sifive_e", "revb:b" },
    { "sifive_u", "msel:s serial:s start-in-flash:b" },
    { "spike", "hmat:b" },
    { "10m50-ghrd", "vic:b" },
    { "mac99", "via:s" },
    { "powernv powernv10 powernv8 powernv9", "hb-mode:b" },
    { "pseries pseries-2.12-sxxm",
      "cap-ccf-assist:b cap-cfpc:s cap-dfp:b cap-fwnmi:b cap-hpt-max-page-size:s cap-htm:b cap-ibs:s cap-large-decr:b "
      "cap-nested-hv:b cap-rpt-invalidate:b cap-sbbc:s cap-vsx:b hmat:b host-model:s host-serial:s ic-mode:s "
      "kernel-addr:s kvm-type:s max-cpu-compat:s modern-hotplug-events:b nvdimm:b nvdimm-persistence:s resize-hpt:s "
      "vfio-no-msix-emulation:b vsmt:s x-vof:b" },
    { "s390-ccw-virtio", "loadparm:s" },
};

/* Texts of which only some words will do. */
static const struct {
    const char *machines, *property, *words;
} word_rows[] = {
    { "virt@arm virt@aarch64", "gic-version", "2 3 4 host max" },
    { "virt@arm virt@aarch64", "iommu", "none smmuv3" },
    { "virt@riscv32 virt@riscv64", "aia", "none aplic aplic-imsic" },
    { NULL, "kernel-irqchip", "on off split" },
};
/* clang-format on */

/* "pc-i440fx-7.2" is the family pc-i440fx. */
static char *family_of(const Legacy *l)
{
    const char *dash = strrchr(l->machine, '-');
    bool version = dash && dash[1] && !dash[1 + strspn(dash + 1, "0123456789.")];

    return version && l->board->since ? g_strndup(l->machine, dash - l->machine)
                                      : g_strdup(l->machine);
}

static bool is_one_of(const Legacy *l, const char *machines)
{
    g_autofree char *family = family_of(l);
    g_autofree char *full = g_strdup_printf("%s@%s", family, l->arch);

    return !machines || opt_is_among(machines, family) || opt_is_among(machines, full);
}

static bool refuse_cpus(Legacy *l, const char *than, unsigned limit)
{
    return legacy_refuse(l, DIAG_LEGACY_VALUE, l->cpus_at.to ? l->cpus_at : l->machine_at,
        "%u CPUs are %s than the %u of `%s`", l->cpus, than, limit, l->machine);
}

/* The GIC of version 2 knows no more than eight. */
static unsigned most_by_gic(const Legacy *l, unsigned most)
{
    const Opt *version = opts_find(l->machine_merged, "gic-version");
    bool two = !version || strcmp(version->value, "2") == 0;

    return two && is_one_of(l, "virt@arm virt@aarch64") ? MIN(most, 8) : most;
}

static bool check_cpus(Legacy *l)
{
    unsigned least = 1, most = 1;

    for (unsigned i = 0; i < G_N_ELEMENTS(cpu_rows); i++) {
        if (is_one_of(l, cpu_rows[i].machines)) {
            least = cpu_rows[i].least;
            most = most_by_gic(l, cpu_rows[i].most);
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(old_rows); i++) {
        most = opt_is_among(old_rows[i].machines, l->machine) ? MIN(most, old_rows[i].most) : most;
    }
    if (!l->cpus_at.to) {
        return true; /* its own number */
    }
    return l->cpus > most ? refuse_cpus(l, "more", most)
                          : l->cpus >= least || refuse_cpus(l, "less", least);
}

/* The type of a property; '\0': the machine has none of that name. */
static char type_of(const Legacy *l, const char *name)
{
    g_autofree char *front = g_strndup(name, strcspn(name, "."));
    size_t length = strlen(front);

    g_strdelimit(front, "_", '-');
    for (unsigned i = 0; i < G_N_ELEMENTS(property_rows); i++) {
        for (const char *at = property_rows[i].properties; *at; at += strspn(at, " ")) {
            size_t here = strcspn(at, ":");

            if (here == length && strncmp(at, front, length) == 0 &&
                is_one_of(l, property_rows[i].machines)) {
                return at[here + 1];
            }
            at += strcspn(at, " ");
        }
    }
    return '\0';
}

/* What a value should have been; NULL: it is that. */
static const char *wrong_value(const Legacy *l, char type, const Opt *opt)
{
    bool flag;
    uint64_t size;

    for (unsigned i = 0; i < G_N_ELEMENTS(word_rows); i++) {
        if (strcmp(word_rows[i].property, opt->key) == 0 && is_one_of(l, word_rows[i].machines)) {
            return opt_is_among(word_rows[i].words, opt->value) ? NULL : word_rows[i].words;
        }
    }
    switch (type) {
    case 'b': return opt_bool(opt->value, &flag) ? NULL : "on or off";
    case 'a': return opt_is_among("on off auto", opt->value) ? NULL : "on, off or auto";
    case 'z': return opt_size(opt->value, &size) ? NULL : "a size";
    default: return NULL;
    }
}

static bool check_property(Legacy *l, const Opt *opt)
{
    char type = type_of(l, opt->key);
    const char *wrong;

    if (!type) {
        return legacy_refuse(
            l, DIAG_LEGACY_VALUE, opt->key_at, "`%s` is no property of `%s`", opt->key, l->machine);
    }
    wrong = wrong_value(l, type, opt);
    return !wrong ||
        legacy_refuse(l, DIAG_LEGACY_VALUE, opt->value_at, "`%s` of `%s` is not one of: %s",
            opt->value, opt->key, wrong);
}

/* -numa node,mem= is gone since version 5.1 of the machines that had it. */
static bool check_nodes(Legacy *l)
{
    const char *dash = strrchr(l->machine, '-');
    double version = dash ? g_ascii_strtod(dash + 1, NULL) : 0;

    for (unsigned i = 0; i < l->said->len; i++) {
        const LegacySaid *said = &g_array_index(l->said, LegacySaid, i);

        if (strcmp(said->word, "-numa") == 0 && strstr(said->argument, ",mem=") &&
            !(version > 0 && version < 5.1)) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, said->at,
                "`%s` has no `mem` of -numa: memdev names a memory backend", l->machine);
        }
    }
    return true;
}

/* gdb looks at CPUs. */
static bool check_gdb(Legacy *l)
{
    return !l->gdb || !opt_is_among("none x-remote", l->machine) ||
        legacy_refuse(l, DIAG_LEGACY_OPTION, l->machine_at, "`%s` has no CPU for gdb", l->machine);
}

bool machines_check(Legacy *l)
{
    if (l->as == AS_2011) {
        return true;
    }
    for (unsigned i = 0; i < l->machine_merged->count; i++) {
        if (!check_property(l, &l->machine_merged->items[i])) {
            return false;
        }
    }
    return check_cpus(l) && check_nodes(l) && check_gdb(l);
}

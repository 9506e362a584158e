/* What `qemu-system-ARCH -device NAME,help` lists in QEMU 7.2. */
#include "config/legacy/properties.h"

#include <string.h>

/*
 * Types: b on or off, a on, off or auto, 1 2 4 8 a number of so many bytes, i a signed number,
 * z a size, e what is done about an error, t a translation of geometry, s any text.
 */
/* clang-format off */
#define BLOCK \
    "account-failed:a account-invalid:a backend_defaults:a bootindex:i discard_granularity:z " \
    "drive:s logical_block_size:z min_io_size:z opt_io_size:z physical_block_size:z serial:s " \
    "share-rw:b write-cache:a "
#define ERRORS \
    "rerror:e werror:e "
#define GEOMETRY \
    "cyls:4 heads:4 lcyls:4 lheads:4 lsecs:4 secs:4 "
#define PCI \
    "acpi-index:4 addr:s failover_pair_id:s multifunction:b rombar:4 romfile:s romsize:4 " \
    "x-pcie-extcap-init:b x-pcie-lnksta-dllla:b "
#define VIRTIO \
    "any_layout:b event_idx:b indirect_desc:b iommu_platform:b notify_on_empty:b packed:b " \
    "queue_reset:b use-disabled-flag:b use-started:b x-disable-legacy-check:b "
#define VIRTIO_PCI \
    "aer:b ats:b disable-legacy:a disable-modern:b ioeventfd:b migrate-extra:b " \
    "modern-pio-notify:b page-per-vq:b vectors:4 virtio-pci-bus-master-bug-migration:b " \
    "x-ats-page-aligned:b x-disable-pcie:b x-ignore-backend-features:b x-pcie-deverr-init:b " \
    "x-pcie-flr-init:b x-pcie-lnkctl-init:b x-pcie-pm-init:b "
#define USB \
    "attached:b msos-desc:b pcap:s port:s serial:s "
#define PORT \
    "aer_log_max:2 chassis:1 hotplug:b port:1 power_controller_present:b slot:2 " \
    "x-native-hotplug:b "

/* Names that share their properties. */
static const struct {
    const char *devices, *properties;
} rows[] = {
    { "am53c974 dc390 i82801b11-bridge ich9-ahci lsi53c810 lsi53c895a piix3-ide piix4-ide sii3112 via-ide",
      PCI },
    { "floppy",
      "account-failed:a account-invalid:a backend_defaults:a discard_granularity:z drive:s "
      "drive-type:s logical_block_size:z min_io_size:z opt_io_size:z physical_block_size:z "
      "share-rw:b unit:4 write-cache:a" },
    { "ich9-intel-hda intel-hda",
      PCI
      "debug:4 msi:a old_msi_addr:b" },
    { "ich9-usb-ehci1 ich9-usb-ehci2 usb-ehci",
      PCI
      "maxframes:4" },
    { "ich9-usb-uhci1 ich9-usb-uhci2 ich9-usb-uhci3 ich9-usb-uhci4 ich9-usb-uhci5 ich9-usb-uhci6",
      PCI
      "bandwidth:4 firstport:4 masterbus:s maxframes:4" },
    { "ide-cd",
      BLOCK ERRORS
      "model:s unit:4 ver:s wwn:8" },
    { "ide-hd",
      BLOCK ERRORS GEOMETRY
      "bios-chs-trans:t model:s rotation_rate:2 unit:4 ver:s wwn:8" },
    { "ioh3420",
      PCI PORT
      "disable-acs:b" },
    { "isa-fdc",
      "bootindexA:i bootindexB:i dma:4 fallback:s fdtypeA:s fdtypeB:s iobase:4 irq:4" },
    { "isa-ide",
      "iobase:4 iobase2:4 irq:4" },
    { "megasas-gen2 megasas",
      PCI
      "hba_serial:s max_cmds:4 max_sge:4 msi:a msix:a sas_address:8 use_jbod:b" },
    { "mptsas1068",
      PCI
      "msi:a sas_address:8" },
    { "nand",
      "chip_id:1 drive:s manufacturer_id:1" },
    { "nec-usb-xhci",
      PCI
      "force-pcie-endcap:b host:s intrs:4 msi:a msix:a p2:4 p3:4 slots:4 streams:b "
      "superspeed-ports-first:b" },
    { "nvme-ns",
      "account-failed:a account-invalid:a backend_defaults:a bootindex:i detached:b "
      "discard_granularity:z drive:s eui64:8 eui64-default:b logical_block_size:z mcl:4 "
      "min_io_size:z ms:2 mset:1 msrc:1 mssrl:2 nsid:4 opt_io_size:z physical_block_size:z "
      "pi:1 pif:1 pil:1 share-rw:b shared:b uuid:s write-cache:a zoned:b zoned.cross_read:b "
      "zoned.descr_ext_size:4 zoned.max_active:4 zoned.max_open:4 zoned.numzrwa:4 "
      "zoned.zone_capacity:z zoned.zone_size:z zoned.zrwafg:z zoned.zrwas:z" },
    { "nvme",
      BLOCK PCI
      "aer_max_queued:4 aerl:1 cmb_size_mb:4 ioeventfd:b max_ioqpairs:4 mdts:1 "
      "msix-exclusive-bar:b msix_qsize:2 num_queues:4 pmrdev:s smart_critical_warning:1 "
      "sriov_max_vfs:1 sriov_max_vi_per_vf:1 sriov_max_vq_per_vf:1 sriov_vi_flexible:2 "
      "sriov_vq_flexible:2 subsys:s use-intel-id:b vsl:1 zoned.auto_transition:b zoned.zasl:1" },
    { "pci-bridge",
      PCI
      "bus-reserve:4 chassis_nr:1 io-reserve:z mem-reserve:z msi:a pref32-reserve:z "
      "pref64-reserve:z shpc:b" },
    { "pci-ohci",
      PCI
      "firstport:4 masterbus:s num-ports:4" },
    { "pcie-pci-bridge",
      PCI
      "msi:a" },
    { "pcie-root-port",
      PCI PORT
      "bus-reserve:4 disable-acs:b io-reserve:z mem-reserve:z pref32-reserve:z "
      "pref64-reserve:z x-migrate-msix:b x-speed:s x-width:s" },
    { "piix3-usb-uhci piix4-usb-uhci vt82c686b-usb-uhci",
      PCI
      "bandwidth:4 maxframes:4" },
    { "pvscsi",
      PCI
      "use_msg:1 x-disable-pcie:b x-old-pci-configuration:b" },
    { "pxb-pcie pxb",
      PCI
      "bus_nr:1 bypass_iommu:b numa_node:2" },
    { "qemu-xhci",
      PCI
      "host:s p2:4 p3:4 streams:b" },
    { "scsi-block",
      ERRORS
      "bootindex:i channel:4 drive:s io_timeout:4 lun:4 max_io_size:8 max_unmap_size:8 "
      "rotation_rate:2 scsi-id:4 scsi_version:i share-rw:b" },
    { "scsi-cd",
      BLOCK ERRORS
      "channel:4 device_id:s lun:4 max_io_size:8 port_index:2 port_wwn:8 product:s "
      "quirk_mode_page_apple_vendor:b quirk_mode_page_truncated:b "
      "quirk_mode_page_vendor_specific_apple:b quirk_mode_sense_rom_use_dbd:b scsi-id:4 "
      "scsi_version:i vendor:s ver:s wwn:8" },
    { "scsi-generic",
      "bootindex:i channel:4 drive:s io_timeout:4 lun:4 scsi-id:4 share-rw:b" },
    { "scsi-hd",
      BLOCK ERRORS GEOMETRY
      "channel:4 device_id:s dpofua:b lun:4 max_io_size:8 max_unmap_size:8 port_index:2 "
      "port_wwn:8 product:s quirk_mode_page_vendor_specific_apple:b removable:b "
      "rotation_rate:2 scsi-id:4 scsi_version:i vendor:s ver:s wwn:8" },
    { "sd-card",
      "drive:s spec_version:1 spi:b" },
    { "sdhci-pci",
      PCI
      "capareg:8 maxcurr:8 sd-spec-version:1 uhs:1 vendor:1" },
    { "spapr-pci-host-bridge",
      "atsd:8 bypass-iommu:b ddw:b dma64_win_addr:8 dma_win_addr:8 dma_win_size:8 "
      "dynamic-reconfiguration:b gpa:8 index:4 io_win_size:8 mem64_win_size:8 mem_win_size:8 "
      "numa_node:4 pcie-extended-configuration-space:b pgsz:8 pre-2.8-migration:b "
      "pre-5.1-associativity:b x-config-reg-migration-enabled:b" },
    { "spapr-vscsi",
      "reg:4" },
    { "usb-bot",
      USB },
    { "usb-ccid",
      USB
      "debug:1" },
    { "usb-storage",
      BLOCK ERRORS
      "attached:b commandlog:b msos-desc:b pcap:s port:s removable:b" },
    { "usb-uas",
      USB
      "log-scsi-req:4" },
    { "virtio-blk-ccw",
      BLOCK ERRORS GEOMETRY VIRTIO
      "config-wce:b dev_id:s devno:s discard:b ioeventfd:b iothread:s max-discard-sectors:4 "
      "max-write-zeroes-sectors:4 max_revision:4 num-queues:2 queue-size:2 "
      "report-discard-granularity:b request-merging:b scsi:b seg-max-adjust:b subch_id:s "
      "write-zeroes:b x-enable-wce-if-config-wce:b" },
    { "virtio-blk-device",
      BLOCK ERRORS GEOMETRY VIRTIO
      "config-wce:b discard:b iothread:s max-discard-sectors:4 max-write-zeroes-sectors:4 "
      "num-queues:2 queue-size:2 report-discard-granularity:b request-merging:b scsi:b "
      "seg-max-adjust:b write-zeroes:b x-enable-wce-if-config-wce:b" },
    { "virtio-blk-pci-non-transitional virtio-blk-pci-transitional",
      BLOCK ERRORS GEOMETRY PCI VIRTIO
      "aer:b ats:b class:4 config-wce:b discard:b ioeventfd:b iothread:s max-discard-sectors:4 "
      "max-write-zeroes-sectors:4 migrate-extra:b modern-pio-notify:b num-queues:2 "
      "page-per-vq:b queue-size:2 report-discard-granularity:b request-merging:b scsi:b "
      "seg-max-adjust:b vectors:4 virtio-pci-bus-master-bug-migration:b write-zeroes:b "
      "x-ats-page-aligned:b x-disable-pcie:b x-enable-wce-if-config-wce:b "
      "x-ignore-backend-features:b x-pcie-deverr-init:b x-pcie-flr-init:b x-pcie-lnkctl-init:b "
      "x-pcie-pm-init:b" },
    { "virtio-blk-pci",
      BLOCK ERRORS GEOMETRY PCI VIRTIO VIRTIO_PCI
      "class:4 config-wce:b discard:b iothread:s max-discard-sectors:4 "
      "max-write-zeroes-sectors:4 num-queues:2 queue-size:2 report-discard-granularity:b "
      "request-merging:b scsi:b seg-max-adjust:b write-zeroes:b x-enable-wce-if-config-wce:b" },
    { "virtio-scsi-ccw",
      VIRTIO
      "cmd_per_lun:4 dev_id:s devno:s hotplug:b ioeventfd:b iothread:s max_revision:4 "
      "max_sectors:4 num_queues:4 param_change:b seg_max_adjust:b subch_id:s virtqueue_size:4" },
    { "virtio-scsi-device",
      VIRTIO
      "cmd_per_lun:4 hotplug:b iothread:s max_sectors:4 num_queues:4 param_change:b "
      "seg_max_adjust:b virtqueue_size:4" },
    { "virtio-scsi-pci-non-transitional virtio-scsi-pci-transitional",
      PCI VIRTIO
      "aer:b ats:b cmd_per_lun:4 hotplug:b ioeventfd:b iothread:s max_sectors:4 "
      "migrate-extra:b modern-pio-notify:b num_queues:4 page-per-vq:b param_change:b "
      "seg_max_adjust:b vectors:4 virtio-pci-bus-master-bug-migration:b virtqueue_size:4 "
      "x-ats-page-aligned:b x-disable-pcie:b x-ignore-backend-features:b x-pcie-deverr-init:b "
      "x-pcie-flr-init:b x-pcie-lnkctl-init:b x-pcie-pm-init:b" },
    { "virtio-scsi-pci",
      PCI VIRTIO VIRTIO_PCI
      "cmd_per_lun:4 hotplug:b iothread:s max_sectors:4 num_queues:4 param_change:b "
      "seg_max_adjust:b virtqueue_size:4" },
    { "virtio-serial-ccw",
      VIRTIO
      "dev_id:s devno:s emergency-write:b ioeventfd:b max_ports:4 max_revision:4 subch_id:s" },
    { "virtio-serial-device",
      VIRTIO
      "emergency-write:b max_ports:4" },
    { "virtio-serial-pci",
      PCI VIRTIO VIRTIO_PCI
      "class:4 emergency-write:b max_ports:4" },
    { "x3130-upstream",
      PCI
      "aer_log_max:2 port:1" },
    { "xio3130-downstream",
      PCI PORT },
};
/* clang-format on */

/* The words before a `:` in front of which `name` may stand; the type, or '\0'. */
static char type_of(const char *properties, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = properties; *at; at += strspn(at, " ")) {
        size_t here = strcspn(at, ":");

        if (here == length && strncmp(at, name, length) == 0) {
            return at[here + 1];
        }
        at += strcspn(at, " ");
    }
    return '\0';
}

static const char *properties_of(const char *device)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) names = g_strsplit(rows[i].devices, " ", -1);

        if (g_strv_contains((const char *const *)names, device)) {
            return rows[i].properties;
        }
    }
    return NULL;
}

static const struct {
    char type;
    const char *words[6], *what;
} word_types[] = {
    { 'a', { "on", "off", "auto" }, "on, off or auto" },
    { 'e', { "report", "ignore", "enospc", "stop", "auto" },
        "report, ignore, enospc, stop or auto" },
    { 't', { "auto", "none", "lba", "large", "rechs" }, "auto, none, lba, large or rechs" },
};

static const char *wrong_word(char type, const char *text)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(word_types); i++) {
        if (word_types[i].type == type) {
            return g_strv_contains(word_types[i].words, text) ? NULL : word_types[i].what;
        }
    }
    return NULL;
}

static const char *wrong_number(char type, const char *text)
{
    static const char *const what[] = { "a number below 2^8", "a number below 2^16",
        "a number below 2^32", "a number below 2^64" };
    unsigned bytes = type - '0', row = bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
    uint64_t number;

    return opt_number(text, &number) && (bytes == 8 || number >> (8 * bytes) == 0) ? NULL
                                                                                   : what[row];
}

/* What a value should have been; NULL: it is that. */
static const char *wrong_value(char type, const Opt *opt, bool json)
{
    bool number = strchr("1248iz", type) != NULL, flag;
    uint64_t size;

    if (json) {
        OptType wanted = type == 'b' ? OPT_BOOL : number ? OPT_NUMBER : OPT_TEXT;

        if (opt->type != wanted) {
            return type == 'b' ? "true or false" : number ? "a number" : "a text";
        }
    }
    switch (type) {
    case 'b': return opt_bool(opt->value, &flag) ? NULL : "on or off";
    case 'z': return opt_size(opt->value, &size) ? NULL : "a size";
    case 'i': return opt_number(opt->value, &size) ? NULL : "a number";
    case 's': return NULL;
    default: return number ? wrong_number(type, opt->value) : wrong_word(type, opt->value);
    }
}

/* Sizes of blocks are powers of two. */
static bool is_block_size(const char *text)
{
    uint64_t size = 0;

    return opt_size(text, &size) &&
        (size == 0 || (size >= 512 && size <= 2 << 20 && (size & (size - 1)) == 0));
}

bool properties_check(Legacy *l, const QemuDevice *device, const Opts *opts)
{
    const char *properties = properties_of(device->name);

    for (unsigned i = 0; properties && i < opts->count; i++) {
        const Opt *opt = &opts->items[i];
        char type = type_of(properties, opt->key);
        const char *wrong = type ? wrong_value(type, opt, opts->json) : NULL;

        if (strcmp(opt->key, "driver") == 0 || strcmp(opt->key, "id") == 0 ||
            strcmp(opt->key, "bus") == 0) {
            continue;
        }
        if (!type) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, opt->key_at, "`%s` is no property of `%s`",
                opt->key, device->name);
        }
        if (!wrong && g_str_has_suffix(opt->key, "_block_size") && !is_block_size(opt->value)) {
            wrong = "a power of two from 512 to 2M";
        }
        if (wrong) {
            return legacy_refuse(l, DIAG_LEGACY_VALUE, opt->value_at, "`%s` of `%s` is not %s",
                opt->value, opt->key, wrong);
        }
    }
    return true;
}

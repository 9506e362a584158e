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
    { "AC97 ES1370",
      PCI
      "audiodev:s" },
    { "adlib",
      "audiodev:s freq:4 iobase:4" },
    { "am53c974 dc390 i82801b11-bridge ich9-ahci lsi53c810 lsi53c895a piix3-ide piix4-ide sii3112 via-ide",
      PCI },
    { "amd-iommu",
      "device-iotlb:b intremap:a pt:b" },
    { "bochs-display",
      PCI
      "big-endian-framebuffer:b edid:b refresh_rate:4 vgamem:z xmax:4 xres:4 ymax:4 yres:4" },
    { "cirrus-vga",
      PCI
      "blitter:b global-vmstate:b vgamem_mb:4" },
    { "cs4231a",
      "audiodev:s cs4231a[0]:s dma:4 iobase:4 irq:4" },
    { "e1000 e1000-82544gc e1000-82545em",
      PCI
      "autonegotiation:b bootindex:i extra_mac_registers:b init-vet:b mac:s "
      "migrate_tso_props:b mitigation:b netdev:s" },
    { "e1000e",
      PCI
      "bootindex:i disable_vnet_hdr:1 init-vet:b mac:s netdev:s subsys:2 subsys_ven:2" },
    { "edu",
      PCI
      "dma_mask:8" },
    { "floppy",
      "account-failed:a account-invalid:a backend_defaults:a discard_granularity:z drive:s "
      "drive-type:s logical_block_size:z min_io_size:z opt_io_size:z physical_block_size:z "
      "share-rw:b unit:4 write-cache:a" },
    { "gus",
      "audiodev:s dma:4 freq:4 iobase:4 irq:4" },
    { "hda-duplex hda-micro hda-output",
      "audiodev:s cad:4 debug:4 mixer:b use-timer:b" },
    { "i6300esb",
      PCI },
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
    { "intel-iommu",
      "aw-bits:1 caching-mode:b device-iotlb:b dma-drain:b dma-translation:b eim:a "
      "intremap:a pt:b snoop-control:b version:4 x-buggy-eim:b x-pasid-mode:b "
      "x-scalable-mode:b" },
    { "ioh3420",
      PCI PORT
      "disable-acs:b" },
    { "isa-debug-exit",
      "iobase:4 iosize:4" },
    { "isa-debugcon",
      "chardev:s iobase:4 readback:4" },
    { "isa-fdc",
      "bootindexA:i bootindexB:i dma:4 fallback:s fdtypeA:s fdtypeB:s iobase:4 irq:4" },
    { "isa-ide",
      "iobase:4 iobase2:4 irq:4" },
    { "isa-parallel",
      "chardev:s index:4 iobase:4 irq:4" },
    { "isa-serial",
      "baudbase:4 chardev:s index:4 iobase:4 irq:4 serial:s wakeup:b" },
    { "ivshmem-doorbell",
      PCI
      "chardev:s ioeventfd:b master:a vectors:4" },
    { "ivshmem-plain",
      PCI
      "master:a memdev:s" },
    { "loader",
      "addr:8 cpu-num:4 data:8 data-be:b data-len:1 file:s force-raw:b" },
    { "megasas-gen2 megasas",
      PCI
      "hba_serial:s max_cmds:4 max_sge:4 msi:a msix:a sas_address:8 use_jbod:b" },
    { "mptsas1068",
      PCI
      "msi:a sas_address:8" },
    { "nand",
      "chip_id:1 drive:s manufacturer_id:1" },
    { "ne2k_isa",
      "bootindex:i iobase:4 irq:4 mac:s netdev:s" },
    { "nec-usb-xhci",
      PCI
      "force-pcie-endcap:b host:s intrs:4 msi:a msix:a p2:4 p3:4 slots:4 streams:b "
      "superspeed-ports-first:b" },
    { "nvdimm",
      "addr:8 label-size:i memdev:s node:4 size:8 slot:i unarmed:b uuid:s" },
    { "nvme",
      BLOCK PCI
      "aer_max_queued:4 aerl:1 cmb_size_mb:4 ioeventfd:b max_ioqpairs:4 mdts:1 "
      "msix-exclusive-bar:b msix_qsize:2 num_queues:4 pmrdev:s smart_critical_warning:1 "
      "sriov_max_vfs:1 sriov_max_vi_per_vf:1 sriov_max_vq_per_vf:1 sriov_vi_flexible:2 "
      "sriov_vq_flexible:2 subsys:s use-intel-id:b vsl:1 zoned.auto_transition:b zoned.zasl:1" },
    { "nvme-ns",
      "account-failed:a account-invalid:a backend_defaults:a bootindex:i detached:b "
      "discard_granularity:z drive:s eui64:8 eui64-default:b logical_block_size:z mcl:4 "
      "min_io_size:z ms:2 mset:1 msrc:1 mssrl:2 nsid:4 opt_io_size:z physical_block_size:z "
      "pi:1 pif:1 pil:1 share-rw:b shared:b uuid:s write-cache:a zoned:b zoned.cross_read:b "
      "zoned.descr_ext_size:4 zoned.max_active:4 zoned.max_open:4 zoned.numzrwa:4 "
      "zoned.zone_capacity:z zoned.zone_size:z zoned.zrwafg:z zoned.zrwas:z" },
    { "pc-dimm",
      "addr:8 memdev:s node:4 size:8 slot:i" },
    { "pci-bridge",
      PCI
      "bus-reserve:4 chassis_nr:1 io-reserve:z mem-reserve:z msi:a pref32-reserve:z "
      "pref64-reserve:z shpc:b" },
    { "pci-ohci",
      PCI
      "firstport:4 masterbus:s num-ports:4" },
    { "pci-serial",
      PCI
      "baudbase:4 chardev:s prog_if:1 serial:s wakeup:b" },
    { "pci-serial-2x",
      PCI
      "chardev1:s chardev2:s prog_if:1 serial[0]:s serial[1]:s" },
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
    { "pvpanic",
      "events:1 ioport:2 pvpanic[0]:s" },
    { "pvpanic-pci",
      PCI
      "events:1" },
    { "pvscsi",
      PCI
      "use_msg:1 x-disable-pcie:b x-old-pci-configuration:b" },
    { "pxb-pcie pxb",
      PCI
      "bus_nr:1 bypass_iommu:b numa_node:2" },
    { "qemu-xhci",
      PCI
      "host:s p2:4 p3:4 streams:b" },
    { "qxl-vga qxl",
      PCI
      "cmdlog:4 debug:4 global-vmstate:b guestdebug:4 max_outputs:2 ram_size:4 "
      "ram_size_mb:4 revision:4 surfaces:i vgamem_mb:4 vram64_size_mb:4 vram_size:8 "
      "vram_size_mb:4 xres:4 yres:4" },
    { "rtl8139 ne2k_pci pcnet i82550 i82551 i82557a i82557b i82557c i82558a i82558b i82559a i82559b i82559c i82559er i82562 i82801 tulip",
      PCI
      "bootindex:i mac:s netdev:s" },
    { "sb16",
      "audiodev:s dma:4 dma16:4 iobase:4 irq:4 version:4" },
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
    { "secondary-vga",
      PCI
      "big-endian-framebuffer:b edid:b qemu-extended-regs:b refresh_rate:4 vgamem_mb:4 "
      "xmax:4 xres:4 ymax:4 yres:4" },
    { "spapr-pci-host-bridge",
      "atsd:8 bypass-iommu:b ddw:b dma64_win_addr:8 dma_win_addr:8 dma_win_size:8 "
      "dynamic-reconfiguration:b gpa:8 index:4 io_win_size:8 mem64_win_size:8 mem_win_size:8 "
      "numa_node:4 pcie-extended-configuration-space:b pgsz:8 pre-2.8-migration:b "
      "pre-5.1-associativity:b x-config-reg-migration-enabled:b" },
    { "spapr-vscsi",
      "reg:4" },
    { "tpm-crb",
      "ppi:b tpmdev:s" },
    { "tpm-tis",
      "irq:4 ppi:b tpm-tis-mmio[0]:s tpmdev:s" },
    { "tpm-tis-device",
      "irq:4 sysbus-irq[0]:s tpm-tis-mmio[0]:s tpmdev:s" },
    { "usb-audio",
      USB
      "audiodev:s buffer:4 debug:4 multi:b" },
    { "usb-bot",
      USB },
    { "usb-braille",
      USB
      "chardev:s" },
    { "usb-ccid",
      USB
      "debug:1" },
    { "usb-host",
      USB
      "bootindex:i guest-reset:b guest-resets-all:b hostaddr:4 hostbus:4 hostdevice:s "
      "hostport:s isobsize:4 isobufs:4 loglevel:4 pipeline:b productid:4 "
      "suppress-remote-wake:b vendorid:4" },
    { "usb-hub",
      USB
      "port-power:b ports:4" },
    { "usb-kbd",
      USB
      "display:s usb_version:4" },
    { "usb-mouse",
      USB
      "usb_version:4" },
    { "usb-mtp",
      USB
      "desc:s readonly:b rootdir:s" },
    { "usb-net",
      USB
      "bootindex:i mac:s netdev:s" },
    { "usb-redir",
      USB
      "bootindex:i chardev:s debug:1 filter:s streams:b suppress-remote-wake:b" },
    { "usb-serial",
      USB
      "always-plugged:b chardev:s" },
    { "usb-storage",
      BLOCK ERRORS
      "attached:b commandlog:b msos-desc:b pcap:s port:s removable:b" },
    { "usb-tablet",
      USB
      "display:s head:4 usb_version:4" },
    { "usb-uas",
      USB
      "log-scsi-req:4" },
    { "usb-wacom-tablet",
      USB },
    { "vfio-pci",
      PCI
      "bootindex:i display:a host:s sysfsdev:s x-balloon-allowed:b x-enable-migration:b "
      "x-igd-gms:4 x-igd-opregion:b x-intx-mmap-timeout-ms:4 x-msix-relocation:s "
      "x-no-geforce-quirks:b x-no-kvm-intx:b x-no-kvm-ioeventfd:b x-no-kvm-msi:b "
      "x-no-kvm-msix:b x-no-mmap:b x-no-vfio-ioeventfd:b x-nv-gpudirect-clique:s "
      "x-pci-device-id:4 x-pci-sub-device-id:4 x-pci-sub-vendor-id:4 x-pci-vendor-id:4 "
      "x-pre-copy-dirty-page-tracking:a x-req:b x-vga:b xres:4 yres:4" },
    { "VGA",
      PCI
      "big-endian-framebuffer:b edid:b global-vmstate:b mmio:b qemu-extended-regs:b "
      "refresh_rate:4 vgamem_mb:4 xmax:4 xres:4 ymax:4 yres:4" },
    { "vhost-vsock-device",
      VIRTIO
      "guest-cid:8 seqpacket:a vhostfd:s" },
    { "vhost-vsock-pci",
      PCI VIRTIO
      "aer:b ats:b disable-legacy:a disable-modern:b guest-cid:8 migrate-extra:b "
      "modern-pio-notify:b page-per-vq:b seqpacket:a vectors:4 vhostfd:s virtio-backend:s "
      "virtio-pci-bus-master-bug-migration:b x-ats-page-aligned:b x-disable-pcie:b "
      "x-ignore-backend-features:b x-pcie-deverr-init:b x-pcie-flr-init:b "
      "x-pcie-lnkctl-init:b x-pcie-pm-init:b" },
    { "virtconsole virtserialport",
      "chardev:s name:s nr:4" },
    { "virtio-9p-device",
      VIRTIO
      "fsdev:s mount_tag:s" },
    { "virtio-9p-pci",
      PCI VIRTIO VIRTIO_PCI
      "fsdev:s mount_tag:s virtio-backend:s" },
    { "virtio-balloon-ccw",
      VIRTIO
      "deflate-on-oom:b dev_id:s devno:s free-page-hint:b free-page-reporting:b "
      "guest-stats:s guest-stats-polling-interval:i ioeventfd:b iothread:s max_revision:4 "
      "page-poison:b qemu-4-0-config-size:b subch_id:s virtio-backend:s" },
    { "virtio-balloon-device",
      VIRTIO
      "deflate-on-oom:b free-page-hint:b free-page-reporting:b guest-stats:s "
      "guest-stats-polling-interval:i iothread:s page-poison:b qemu-4-0-config-size:b" },
    { "virtio-balloon-pci",
      PCI VIRTIO
      "aer:b ats:b deflate-on-oom:b disable-legacy:a disable-modern:b free-page-hint:b "
      "free-page-reporting:b guest-stats:s guest-stats-polling-interval:i iothread:s "
      "migrate-extra:b modern-pio-notify:b page-per-vq:b page-poison:b "
      "qemu-4-0-config-size:b virtio-backend:s virtio-pci-bus-master-bug-migration:b "
      "x-ats-page-aligned:b x-disable-pcie:b x-ignore-backend-features:b "
      "x-pcie-deverr-init:b x-pcie-flr-init:b x-pcie-lnkctl-init:b x-pcie-pm-init:b" },
    { "virtio-balloon-pci-transitional virtio-balloon-pci-non-transitional",
      PCI VIRTIO
      "aer:b ats:b deflate-on-oom:b free-page-hint:b free-page-reporting:b guest-stats:s "
      "guest-stats-polling-interval:i iothread:s migrate-extra:b modern-pio-notify:b "
      "page-per-vq:b page-poison:b qemu-4-0-config-size:b virtio-backend:s "
      "virtio-pci-bus-master-bug-migration:b x-ats-page-aligned:b x-disable-pcie:b "
      "x-ignore-backend-features:b x-pcie-deverr-init:b x-pcie-flr-init:b "
      "x-pcie-lnkctl-init:b x-pcie-pm-init:b" },
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
    { "virtio-blk-pci",
      BLOCK ERRORS GEOMETRY PCI VIRTIO VIRTIO_PCI
      "class:4 config-wce:b discard:b iothread:s max-discard-sectors:4 "
      "max-write-zeroes-sectors:4 num-queues:2 queue-size:2 report-discard-granularity:b "
      "request-merging:b scsi:b seg-max-adjust:b write-zeroes:b x-enable-wce-if-config-wce:b" },
    { "virtio-blk-pci-non-transitional virtio-blk-pci-transitional",
      BLOCK ERRORS GEOMETRY PCI VIRTIO
      "aer:b ats:b class:4 config-wce:b discard:b ioeventfd:b iothread:s max-discard-sectors:4 "
      "max-write-zeroes-sectors:4 migrate-extra:b modern-pio-notify:b num-queues:2 "
      "page-per-vq:b queue-size:2 report-discard-granularity:b request-merging:b scsi:b "
      "seg-max-adjust:b vectors:4 virtio-pci-bus-master-bug-migration:b write-zeroes:b "
      "x-ats-page-aligned:b x-disable-pcie:b x-enable-wce-if-config-wce:b "
      "x-ignore-backend-features:b x-pcie-deverr-init:b x-pcie-flr-init:b x-pcie-lnkctl-init:b "
      "x-pcie-pm-init:b" },
    { "virtio-crypto-pci",
      PCI VIRTIO VIRTIO_PCI
      "cryptodev:s virtio-backend:s" },
    { "virtio-gpu-device",
      VIRTIO
      "blob:b edid:b max_hostmem:z max_outputs:4 xres:4 yres:4" },
    { "virtio-gpu-gl-pci",
      PCI VIRTIO VIRTIO_PCI
      "blob:b edid:b max_hostmem:z max_outputs:4 stats:b virtio-backend:s xres:4 yres:4" },
    { "virtio-gpu-pci",
      PCI VIRTIO VIRTIO_PCI
      "blob:b edid:b max_hostmem:z max_outputs:4 virtio-backend:s xres:4 yres:4" },
    { "virtio-input-host-pci",
      PCI VIRTIO
      "aer:b ats:b disable-legacy:a disable-modern:b evdev:s migrate-extra:b "
      "modern-pio-notify:b page-per-vq:b serial:s vectors:4 virtio-backend:s "
      "virtio-pci-bus-master-bug-migration:b x-ats-page-aligned:b x-disable-pcie:b "
      "x-ignore-backend-features:b x-pcie-deverr-init:b x-pcie-flr-init:b "
      "x-pcie-lnkctl-init:b x-pcie-pm-init:b" },
    { "virtio-iommu-pci",
      PCI VIRTIO
      "aer:b ats:b boot-bypass:b class:4 disable-legacy:a disable-modern:b "
      "len-reserved-regions:4 migrate-extra:b modern-pio-notify:b page-per-vq:b "
      "primary-bus:s virtio-backend:s virtio-pci-bus-master-bug-migration:b "
      "x-ats-page-aligned:b x-disable-pcie:b x-ignore-backend-features:b "
      "x-pcie-deverr-init:b x-pcie-flr-init:b x-pcie-lnkctl-init:b x-pcie-pm-init:b" },
    { "virtio-keyboard-device",
      VIRTIO
      "display:s head:4 serial:s" },
    { "virtio-keyboard-pci",
      PCI VIRTIO
      "aer:b ats:b disable-legacy:a disable-modern:b display:s head:4 migrate-extra:b "
      "modern-pio-notify:b page-per-vq:b serial:s vectors:4 virtio-backend:s "
      "virtio-pci-bus-master-bug-migration:b x-ats-page-aligned:b x-disable-pcie:b "
      "x-ignore-backend-features:b x-pcie-deverr-init:b x-pcie-flr-init:b "
      "x-pcie-lnkctl-init:b x-pcie-pm-init:b" },
    { "virtio-mouse-device virtio-tablet-device",
      VIRTIO
      "display:s head:4 serial:s wheel-axis:b" },
    { "virtio-mouse-pci virtio-tablet-pci",
      PCI VIRTIO
      "aer:b ats:b disable-legacy:a disable-modern:b display:s head:4 migrate-extra:b "
      "modern-pio-notify:b page-per-vq:b serial:s vectors:4 virtio-backend:s "
      "virtio-pci-bus-master-bug-migration:b wheel-axis:b x-ats-page-aligned:b "
      "x-disable-pcie:b x-ignore-backend-features:b x-pcie-deverr-init:b x-pcie-flr-init:b "
      "x-pcie-lnkctl-init:b x-pcie-pm-init:b" },
    { "virtio-net-ccw",
      VIRTIO
      "bootindex:i csum:b ctrl_guest_offloads:b ctrl_mac_addr:b ctrl_rx:b ctrl_rx_extra:b "
      "ctrl_vlan:b ctrl_vq:b dev_id:s devno:s duplex:s failover:b gso:b guest_announce:b "
      "guest_csum:b guest_ecn:b guest_rsc_ext:b guest_tso4:b guest_tso6:b guest_ufo:b "
      "hash:b host_ecn:b host_mtu:2 host_tso4:b host_tso6:b host_ufo:b ioeventfd:b mac:s "
      "max_revision:4 mq:b mrg_rxbuf:b netdev:s rsc_interval:4 rss:b rx_queue_size:2 "
      "speed:i status:b subch_id:s tx:s tx_queue_size:2 virtio-backend:s "
      "x-mtu-bypass-backend:b x-txburst:i x-txtimer:4" },
    { "virtio-net-device",
      VIRTIO
      "bootindex:i csum:b ctrl_guest_offloads:b ctrl_mac_addr:b ctrl_rx:b ctrl_rx_extra:b "
      "ctrl_vlan:b ctrl_vq:b duplex:s failover:b gso:b guest_announce:b guest_csum:b "
      "guest_ecn:b guest_rsc_ext:b guest_tso4:b guest_tso6:b guest_ufo:b hash:b host_ecn:b "
      "host_mtu:2 host_tso4:b host_tso6:b host_ufo:b mac:s mq:b mrg_rxbuf:b netdev:s "
      "rsc_interval:4 rss:b rx_queue_size:2 speed:i status:b tx:s tx_queue_size:2 "
      "x-mtu-bypass-backend:b x-txburst:i x-txtimer:4" },
    { "virtio-net-pci",
      PCI VIRTIO VIRTIO_PCI
      "bootindex:i csum:b ctrl_guest_offloads:b ctrl_mac_addr:b ctrl_rx:b ctrl_rx_extra:b "
      "ctrl_vlan:b ctrl_vq:b duplex:s failover:b gso:b guest_announce:b guest_csum:b "
      "guest_ecn:b guest_rsc_ext:b guest_tso4:b guest_tso6:b guest_ufo:b hash:b host_ecn:b "
      "host_mtu:2 host_tso4:b host_tso6:b host_ufo:b mac:s mq:b mrg_rxbuf:b netdev:s "
      "rsc_interval:4 rss:b rx_queue_size:2 speed:i status:b tx:s tx_queue_size:2 "
      "virtio-backend:s x-mtu-bypass-backend:b x-txburst:i x-txtimer:4" },
    { "virtio-net-pci-transitional virtio-net-pci-non-transitional",
      PCI VIRTIO
      "aer:b ats:b bootindex:i csum:b ctrl_guest_offloads:b ctrl_mac_addr:b ctrl_rx:b "
      "ctrl_rx_extra:b ctrl_vlan:b ctrl_vq:b duplex:s failover:b gso:b guest_announce:b "
      "guest_csum:b guest_ecn:b guest_rsc_ext:b guest_tso4:b guest_tso6:b guest_ufo:b "
      "hash:b host_ecn:b host_mtu:2 host_tso4:b host_tso6:b host_ufo:b ioeventfd:b mac:s "
      "migrate-extra:b modern-pio-notify:b mq:b mrg_rxbuf:b netdev:s page-per-vq:b "
      "rsc_interval:4 rss:b rx_queue_size:2 speed:i status:b tx:s tx_queue_size:2 "
      "vectors:4 virtio-backend:s virtio-pci-bus-master-bug-migration:b "
      "x-ats-page-aligned:b x-disable-pcie:b x-ignore-backend-features:b "
      "x-mtu-bypass-backend:b x-pcie-deverr-init:b x-pcie-flr-init:b x-pcie-lnkctl-init:b "
      "x-pcie-pm-init:b x-txburst:i x-txtimer:4" },
    { "virtio-rng-ccw",
      VIRTIO
      "dev_id:s devno:s ioeventfd:b max-bytes:8 max_revision:4 period:4 rng:s subch_id:s "
      "virtio-backend:s" },
    { "virtio-rng-device",
      VIRTIO
      "max-bytes:8 period:4 rng:s" },
    { "virtio-rng-pci",
      PCI VIRTIO VIRTIO_PCI
      "max-bytes:8 period:4 rng:s virtio-backend:s" },
    { "virtio-rng-pci-transitional virtio-rng-pci-non-transitional",
      PCI VIRTIO
      "aer:b ats:b ioeventfd:b max-bytes:8 migrate-extra:b modern-pio-notify:b "
      "page-per-vq:b period:4 rng:s vectors:4 virtio-backend:s "
      "virtio-pci-bus-master-bug-migration:b x-ats-page-aligned:b x-disable-pcie:b "
      "x-ignore-backend-features:b x-pcie-deverr-init:b x-pcie-flr-init:b "
      "x-pcie-lnkctl-init:b x-pcie-pm-init:b" },
    { "virtio-scsi-ccw",
      VIRTIO
      "cmd_per_lun:4 dev_id:s devno:s hotplug:b ioeventfd:b iothread:s max_revision:4 "
      "max_sectors:4 num_queues:4 param_change:b seg_max_adjust:b subch_id:s virtqueue_size:4" },
    { "virtio-scsi-device",
      VIRTIO
      "cmd_per_lun:4 hotplug:b iothread:s max_sectors:4 num_queues:4 param_change:b "
      "seg_max_adjust:b virtqueue_size:4" },
    { "virtio-scsi-pci",
      PCI VIRTIO VIRTIO_PCI
      "cmd_per_lun:4 hotplug:b iothread:s max_sectors:4 num_queues:4 param_change:b "
      "seg_max_adjust:b virtqueue_size:4" },
    { "virtio-scsi-pci-non-transitional virtio-scsi-pci-transitional",
      PCI VIRTIO
      "aer:b ats:b cmd_per_lun:4 hotplug:b ioeventfd:b iothread:s max_sectors:4 "
      "migrate-extra:b modern-pio-notify:b num_queues:4 page-per-vq:b param_change:b "
      "seg_max_adjust:b vectors:4 virtio-pci-bus-master-bug-migration:b virtqueue_size:4 "
      "x-ats-page-aligned:b x-disable-pcie:b x-ignore-backend-features:b x-pcie-deverr-init:b "
      "x-pcie-flr-init:b x-pcie-lnkctl-init:b x-pcie-pm-init:b" },
    { "virtio-serial-ccw",
      VIRTIO
      "dev_id:s devno:s emergency-write:b ioeventfd:b max_ports:4 max_revision:4 subch_id:s" },
    { "virtio-serial-device",
      VIRTIO
      "emergency-write:b max_ports:4" },
    { "virtio-serial-pci",
      PCI VIRTIO VIRTIO_PCI
      "class:4 emergency-write:b max_ports:4" },
    { "virtio-vga",
      PCI VIRTIO VIRTIO_PCI
      "big-endian-framebuffer:b blob:b edid:b max_hostmem:z max_outputs:4 virtio-backend:s "
      "xres:4 yres:4" },
    { "vmgenid",
      "guid:s" },
    { "vmware-svga",
      PCI
      "global-vmstate:b vgamem_mb:4" },
    { "vmxnet3",
      PCI
      "bootindex:i mac:s netdev:s x-disable-pcie:b x-old-msi-offsets:b" },
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
        if (opt_is_among(rows[i].devices, device)) {
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

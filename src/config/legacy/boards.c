/*
 * Measured: every machine of each program of QEMU 7.2 was started with a drive on every interface
 * and unit, and asked through QMP what had become of it.
 */
#include "config/legacy/boards.h"

#include <stdlib.h>
#include <string.h>

#include "config/legacy/optstr.h"

const char *const interface_names[INTERFACE_COUNT] = { [IF_NONE] = "none",
    [IF_IDE] = "ide",
    [IF_SCSI] = "scsi",
    [IF_FLOPPY] = "floppy",
    [IF_PFLASH] = "pflash",
    [IF_MTD] = "mtd",
    [IF_SD] = "sd",
    [IF_VIRTIO] = "virtio",
    [IF_XEN] = "xen" };

/* clang-format off */
static const QemuBoard boards[] = {
    { "i386 x86_64", "isapc", NULL, IF_IDE, 0, 0, "", "ide=4 floppy=2" },
    { "i386 x86_64", "microvm", NULL, IF_NONE, NO_FLOPPY | ONE_UNIT, 24, "", "usb-option=1 pcie-option=1 isa=1" },
    { "i386 x86_64", "pc pc-i440fx", "1.4", IF_IDE, 0, 0, "pci.0", "ide=4 floppy=2 pflash=cfi.pflash01,cfi.pflash01 usb-option=1" },
    { "i386 x86_64", "q35 pc-q35", "2.4", IF_IDE, NO_FLOPPY | ONE_UNIT, 0, "pcie.0", "ahci=6 floppy=2 pflash=cfi.pflash01,cfi.pflash01 usb-option=1" },
    { "i386 x86_64", "x-remote", NULL, IF_NONE, 0, 0, "remote-pci", "" },
    { "arm aarch64", "akita", NULL, IF_IDE, 0, 0, "", "sd=1 mtd=? usb=1" },
    { "arm aarch64", "ast1030-evb", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "mtd=sst25vf032b@ssi.0,sst25vf032b@ssi.0,sst25vf032b@ssi.1,sst25vf032b@ssi.1,sst25vf032b@ssi.2,sst25vf032b@ssi.2" },
    { "arm aarch64", "ast2500-evb", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=2 mtd=mx25l25635e@ssi.0,mx25l25635f@ssi.1 usb=1" },
    { "arm aarch64", "ast2600-evb", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=3 mtd=mx66u51235f@ssi.0,mx66u51235f@ssi.1 usb=1" },
    { "arm aarch64", "bletchley-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=3 mtd=big@ssi.0,big@ssi.0 usb=1" },
    { "arm aarch64", "canon-a1100", NULL, IF_NONE, 0, 0, "", "pflash=cfi.pflash02" },
    { "arm aarch64", "collie", NULL, IF_NONE, 0, 0, "", "pflash=cfi.pflash01,cfi.pflash01" },
    { "arm aarch64", "connex verdex", NULL, IF_NONE, 0, 0, "", "sd=1 pflash=cfi.pflash01 needs-flash=1" },
    { "arm aarch64", "cubieboard", NULL, IF_IDE, ONE_UNIT, 0, "", "sd=1 usb-option=1 sata=1" },
    { "arm aarch64", "emcraft-sf2", NULL, IF_NONE, 0, 0, "", "mtd=s25sl12801@spi" },
    { "arm aarch64", "fby35", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "mtd=big@ssi.0,big@ssi.0,sst25vf032b@ssi.3,sst25vf032b@ssi.3,sst25vf032b@ssi.4,sst25vf032b@ssi.4,sst25vf032b@ssi.5,sst25vf032b@ssi.5 usb=1" },
    { "arm aarch64", "fby35-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=3 mtd=big@ssi.0,big@ssi.0,mx66u51235f@ssi.1 usb=1" },
    { "arm aarch64", "fp5280g2-bmc g220a-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=2 mtd=n25q512a@ssi.0,n25q512a@ssi.0,mx25l25635e@ssi.1 usb=1" },
    { "arm aarch64", "imx25-pdk mcimx6ul-evk", NULL, IF_NONE, 0, 0, "", "sd=2 usb=1" },
    { "arm aarch64", "kudo-bmc quanta-gbs-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=1 mtd=mx66u51235f@spi usb=1" },
    { "arm aarch64", "lm3s6965evb realview-pbx-a9 integratorcp realview-pb-a8", NULL, IF_NONE, 0, 0, "", "sd=1" },
    { "arm aarch64", "mainstone", NULL, IF_NONE, 0, 0, "", "sd=1 pflash=cfi.pflash01,cfi.pflash01 usb=1" },
    { "arm aarch64", "vexpress-a9 vexpress-a15", NULL, IF_NONE, 0, 4, "", "sd=1 pflash=cfi.pflash01,cfi.pflash01" },
    { "arm aarch64", "mcimx7d-sabre", NULL, IF_NONE, 0, 0, "pcie", "sd=3 usb=1" },
    { "arm aarch64", "midway highbank", NULL, IF_IDE, ONE_UNIT, 0, "", "sata=1" },
    { "arm aarch64", "mori-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "usb=1" },
    { "arm aarch64", "mps2-an385 mps2-an500 mps2-an511 mps3-an524 musca-a netduinoplus2 stm32vldiscovery kzm lm3s811evb microbit mps2-an386 mps2-an505 mps2-an521 mps3-an547 musca-b1 netduino2", NULL, IF_NONE, 0, 0, "", "" },
    { "arm aarch64", "musicpal", NULL, IF_NONE, 0, 0, "", "pflash=cfi.pflash01" },
    { "arm aarch64", "n810 n800", NULL, IF_NONE, 0, 0, "", "sd-idle=1 mtd=onenand@main-system-bus usb-option=1" },
    { "arm aarch64", "npcm750-evb", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "mtd=w25q256@spi usb=1" },
    { "arm aarch64", "orangepi-pc", NULL, IF_SD, ONE_UNIT, 0, "", "sd=1 usb=1" },
    { "arm aarch64", "palmetto-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=2 mtd=n25q256a@ssi.0,mx25l25635f@ssi.1 usb=1" },
    { "arm aarch64", "qcom-dc-scm-v1-bmc qcom-firework-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=3 mtd=n25q512a@ssi.0,n25q512a@ssi.0,n25q512a@ssi.1 usb=1" },
    { "arm aarch64", "quanta-gsj", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "mtd=mx25l25635e@spi usb=1" },
    { "arm aarch64", "quanta-q71l-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=2 mtd=n25q256a@ssi.0,mx25l25635e@ssi.1 usb=1" },
    { "arm aarch64", "raspi0 raspi2b raspi2 raspi1ap", NULL, IF_SD, NO_CDROM | NO_FLOPPY, 0, "", "sd=1 usb=1" },
    { "arm aarch64", "realview-eb-mpcore realview-eb", NULL, IF_SCSI, 0, 0, "pci", "scsi=4 sd=1 usb-option=1" },
    { "arm aarch64", "romulus-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=2 mtd=n25q256a@ssi.0,n25q256a@ssi.0,big@ssi.0 usb=1" },
    { "arm aarch64", "sabrelite", NULL, IF_NONE, 0, 0, "", "mtd=sst25vf016b@spi usb=1" },
    { "arm aarch64", "smdkc210 nuri", NULL, IF_NONE, 0, 0, "", "sd=4 usb=1" },
    { "arm aarch64", "sonorapass-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=2 mtd=big@ssi.0,big@ssi.0,big@ssi.0 usb=1" },
    { "arm aarch64", "spitz terrier borzoi", NULL, IF_IDE, 0, 0, "", "microdrive=1 sd=1 mtd=? usb=1" },
    { "arm aarch64", "tosa", NULL, IF_IDE, 0, 0, "", "microdrive=1 sd=1 mtd=?" },
    { "arm aarch64", "supermicrox11-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=2 mtd=mx25l25635e@ssi.0,mx25l25635e@ssi.1 usb=1" },
    { "arm aarch64", "tacoma-bmc fuji-bmc rainier-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=3 mtd=big@ssi.0,big@ssi.0,big@ssi.0 usb=1" },
    { "arm aarch64", "versatilepb versatileab", NULL, IF_SCSI, 0, 0, "pci", "scsi=4 sd=2 pflash=cfi.pflash01 usb-option=1" },
    { "arm aarch64", "virt", "2.6", IF_VIRTIO, NO_CDROM, 32, "pcie.0", "pflash=cfi.pflash01,cfi.pflash01" },
    { "arm aarch64", "witherspoon-bmc", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "sd=2 mtd=mx25l25635f@ssi.0,mx25l25635f@ssi.0,big@ssi.0 usb=1" },
    { "arm aarch64", "xilinx-zynq-a9", NULL, IF_NONE, NO_SD, 0, "", "sd=2 pflash=cfi.pflash02 mtd=n25q128@spi0,n25q128@spi0,n25q128@spi0,n25q128@spi0,n25q128@spi0,n25q128@spi0,n25q128@spi0,n25q128@spi0 usb=1" },
    { "arm aarch64", "z2", NULL, IF_NONE, 0, 0, "", "sd=1 pflash=cfi.pflash01 usb=1" },
    { "arm", "cheetah", NULL, IF_NONE, 0, 0, "", "sd-idle=1" },
    { "arm", "sx1 sx1-v1", NULL, IF_NONE, 0, 0, "", "sd-idle=1 pflash=cfi.pflash01" },
    { "aarch64", "raspi3b raspi3 raspi3ap", NULL, IF_SD, NO_CDROM | NO_FLOPPY, 0, "", "sd=1 usb=1" },
    { "aarch64", "sbsa-ref", NULL, IF_IDE, NO_CDROM, 0, "pcie.0", "ahci=6 pflash=cfi.pflash01,cfi.pflash01 usb=1" },
    { "aarch64", "xlnx-versal-virt", NULL, IF_NONE, NO_CDROM, 8, "", "sd=2 pflash=xlnx.versal-pmc-iou-slcr,? mtd=big@ssi.0,big@ssi.0,big@ssi.0,big@ssi.0 usb=1" },
    { "aarch64", "xlnx-zcu102", NULL, IF_IDE, ONE_UNIT, 0, "", "sd=2 pflash=-,-,xlnx.apu-ctrl,? mtd=sst25wf080@spi0,sst25wf080@spi0,n25q512a11@spi0,n25q512a11@spi0,n25q512a11@spi1,n25q512a11@spi1 usb=1 sata=2" },
    { "riscv32 riscv64", "sifive_e spike", NULL, IF_NONE, 0, 0, "", "" },
    { "riscv32 riscv64", "sifive_u", NULL, IF_NONE, 0, 0, "", "sd=1 pflash=riscv.sifive.u.otp none=riscv.sifive.u.otp mtd=is25wp256@spi" },
    { "riscv32 riscv64", "virt", NULL, IF_NONE, 0, 8, "pcie.0", "pflash=cfi.pflash01,cfi.pflash01" },
    { "riscv64", "microchip-icicle-kit", NULL, IF_NONE, 0, 0, "", "sd=1" },
    { "riscv64", "shakti_c", NULL, IF_NONE, 0, 0, "", "" },
    { "riscv32", "opentitan", NULL, IF_NONE, 0, 0, "", "" },
    { "ppc ppc64", "40p", NULL, IF_SCSI, 0, 0, "pci.0", "scsi=1 scsi-default=1 floppy=2" },
    { "ppc ppc64", "bamboo", NULL, IF_NONE, 0, 0, "pci.0", "" },
    { "ppc ppc64", "g3beige", NULL, IF_IDE, 0, 0, "pci.0", "ide=4 usb-option=1" },
    { "ppc ppc64", "pegasos2", NULL, IF_IDE, 0, 0, "pci.1", "ide=4 floppy=2 usb=1" },
    { "ppc ppc64", "ppce500 mpc8544ds", NULL, IF_NONE, 0, 0, "pci.0", "pflash=cfi.pflash01" },
    { "ppc ppc64", "sam460ex", NULL, IF_NONE, 0, 0, "pci.0", "pflash=cfi.pflash01 usb=1 sata=2" },
    { "ppc ppc64", "ref405ep", NULL, IF_NONE, 0, 0, "", "" },
    { "ppc ppc64", "virtex-ml507", NULL, IF_NONE, 0, 0, "", "pflash=cfi.pflash01" },
    { "ppc", "mac99", NULL, IF_IDE, 0, 0, "pci.2", "ide=4 usb=1" },
    { "ppc64", "mac99", NULL, IF_IDE, 0, 0, "pci.0", "ide=4 usb=1" },
    { "ppc64", "powernv8", NULL, IF_IDE, 0, 0, "pcie.2", "mtd=pnv-pnor@main-system-bus isa=1" },
    { "ppc64", "powernv9 powernv10 powernv", NULL, IF_IDE, 0, 0, "pcie.5", "mtd=pnv-pnor@main-system-bus isa=1" },
    { "ppc64", "pseries", "2.1", IF_SCSI, 0, 0, "pci.0", "vscsi=32 pflash=spapr-nvram usb=1" },
    { "mips mipsel mips64 mips64el", "malta", NULL, IF_IDE, 0, 0, "pci", "ide=4 floppy=2 pflash=cfi.pflash01 usb=1" },
    { "mips mipsel mips64 mips64el", "mipssim", NULL, IF_NONE, 0, 0, "", "" },
    { "mips64 mips64el", "boston", NULL, IF_IDE, 0, 0, "pcie2", "ahci=6" },
    { "mips64 mips64el", "fuloong2e", NULL, IF_IDE, 0, 0, "pci", "ide=4 floppy=2 usb=1" },
    { "mips64 mips64el", "loongson3-virt", NULL, IF_IDE, 0, 0, "pcie.0", "usb=1" },
    { "mips64 mips64el", "magnum pica61", NULL, IF_SCSI, 0, 0, "", "scsi=1 floppy=2" },
    { "s390x", "s390-ccw-virtio", "2.4", IF_VIRTIO, NO_CDROM | NO_FLOPPY | NO_SD, 0, "virtual-css", "" },
    { "sparc", "SPARCClassic SS-10 SS-4 LX SPARCbook SS-20 SS-5 Voyager", NULL, IF_SCSI, 0, 0, "", "scsi=1 floppy=1" },
    { "sparc", "SS-600MP", NULL, IF_SCSI, 0, 0, "", "scsi=1" },
    { "sparc", "leon3_generic", NULL, IF_NONE, 0, 0, "", "" },
    { "sparc64", "niagara", NULL, IF_NONE, 0, 0, "", "pflash=?" },
    { "sparc64", "sun4u sun4v", NULL, IF_IDE, 0, 0, "", "ide=4 floppy=2 isa=1 pci-full=1" },
    { "m68k", "an5206 next-cube mcf5208evb", NULL, IF_NONE, 0, 0, "", "" },
    { "m68k", "q800", NULL, IF_SCSI, 0, 0, "", "scsi=1 mtd=mos6522-q800-via1@main-system-bus" },
    { "m68k", "virt", "6.0", IF_NONE, NO_FLOPPY, 128, "", "" },
    { "alpha", "clipper", NULL, IF_IDE, 0, 0, "pci", "ide=4 floppy=2" },
    { "hppa", "hppa", NULL, IF_SCSI, 0, 0, "pci", "scsi=1 isa=1" },
    { "loongarch64", "virt", NULL, IF_VIRTIO, NO_CDROM, 0, "pcie.0", "" },
    { "avr", "arduino-duemilanove arduino-mega-2560-v3 arduino-mega arduino-uno 2009 mega2560 mega uno", NULL, IF_NONE, NO_CDROM | NO_FLOPPY, 0, "", "" },
    { "cris", "axis-dev88", NULL, IF_NONE, 0, 0, "", "mtd=?" },
    { "microblaze microblazeel", "petalogix-ml605", NULL, IF_NONE, 0, 0, "", "pflash=cfi.pflash01 mtd=n25q128@spi,n25q128@spi,n25q128@spi,n25q128@spi" },
    { "microblaze microblazeel", "petalogix-s3adsp1800", NULL, IF_NONE, 0, 0, "", "pflash=cfi.pflash01" },
    { "microblaze microblazeel", "xlnx-zynqmp-pmu", NULL, IF_NONE, 0, 0, "", "" },
    { "nios2", "nios2-generic-nommu 10m50-ghrd", NULL, IF_NONE, 0, 0, "", "" },
    { "or1k", "virt", NULL, IF_NONE, 0, 8, "pcie.0", "" },
    { "or1k", "or1k-sim", NULL, IF_NONE, 0, 0, "", "" },
    { "rx", "gdbsim-r5f562n7 gdbsim-r5f562n8", NULL, IF_NONE, 0, 0, "", "needs-kernel=1" },
    { "sh4 sh4eb", "r2d", NULL, IF_IDE, 0, 0, "pci", "ide=1 pflash=cfi.pflash02 usb=1" },
    { "sh4 sh4eb", "shix", NULL, IF_NONE, 0, 0, "", "needs-kernel=1" },
    { "tricore", "KIT_AURIX_TC277_TRB tricore_testboard", NULL, IF_NONE, 0, 0, "", "" },
    { "xtensa xtensaeb", "kc705-nommu lx200-nommu lx60-nommu ml605-nommu kc705 lx200 lx60 ml605", NULL, IF_NONE, 0, 0, "", "pflash=cfi.pflash01" },
    { "xtensa xtensaeb", "sim", NULL, IF_NONE, 0, 0, "", "" },
    { "xtensa xtensaeb", "virt", NULL, IF_NONE, 0, 0, "pcie.0", "" },
    { "*", "none", NULL, IF_NONE, NO_CDROM | NO_FLOPPY | NO_SD, 0, "", "" },
};

static const struct {
    const char *archs, *board;
} defaults[] = {
    { "i386 x86_64", "pc" },
    { "riscv32 riscv64", "spike" },
    { "ppc", "g3beige" },
    { "ppc64 ppc64le", "pseries" },
    { "mips mipsel mips64 mips64el", "malta" },
    { "s390x", "s390-ccw-virtio" },
    { "sparc", "SS-5" },
    { "sparc64", "sun4u" },
    { "m68k", "mcf5208evb" },
    { "alpha", "clipper" },
    { "hppa", "hppa" },
    { "loongarch64", "virt" },
    { "sh4 sh4eb", "shix" },
    { "microblaze microblazeel", "petalogix-s3adsp1800" },
    { "xtensa xtensaeb", "sim" },
    { "or1k", "or1k-sim" },
    { "nios2", "10m50-ghrd" },
    { "cris", "axis-dev88" },
    { "arm aarch64 avr rx tricore", NULL }, /* these must be given one */
};
/* clang-format on */

/* All that 7.2 has of some machine, oldest first. */
static const char *const versions[] = { "1.4", "1.5", "1.6", "1.7", "2.0", "2.1", "2.2", "2.3",
    "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "3.0", "3.1", "4.0", "4.0.1",
    "4.1", "4.2", "5.0", "5.1", "5.2", "6.0", "6.1", "6.2", "7.0", "7.1", "7.2" };

static int version_index(const char *version)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(versions); i++) {
        if (strcmp(versions[i], version) == 0) {
            return i;
        }
    }
    return -1;
}

static bool is_of_arch(const QemuBoard *board, const char *arch)
{
    arch = strcmp(arch, "ppc64le") == 0 ? "ppc64" : arch;
    return *board->archs == '*' || opt_is_among(board->archs, arch);
}

/* What stands in front of the version: the last name. */
static const char *family(const QemuBoard *board)
{
    const char *blank = strrchr(board->names, ' ');

    return blank ? blank + 1 : board->names;
}

static bool is_version_of(const QemuBoard *board, const char *name)
{
    const char *dash = strrchr(name, '-');

    return board->since && dash && strlen(family(board)) == (size_t)(dash - name) &&
        strncmp(name, family(board), dash - name) == 0 &&
        version_index(dash + 1) >= version_index(board->since);
}

static bool is_called(const QemuBoard *board, const char *name)
{
    bool bare = board->since && family(board) != board->names && strcmp(name, family(board)) == 0;

    return is_version_of(board, name) || (!bare && opt_is_among(board->names, name));
}

static const char *default_name(const char *arch)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(defaults); i++) {
        if (opt_is_among(defaults[i].archs, arch)) {
            return defaults[i].board;
        }
    }
    return NULL;
}

bool qemu_arch_known(const char *arch)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(defaults); i++) {
        if (opt_is_among(defaults[i].archs, arch)) {
            return true;
        }
    }
    return false;
}

const QemuBoard *qemu_board_find(const char *arch, const char *name)
{
    name = name ? name : default_name(arch);
    for (unsigned i = 0; name && i < G_N_ELEMENTS(boards); i++) {
        if (is_of_arch(&boards[i], arch) && is_called(&boards[i], name)) {
            return &boards[i];
        }
    }
    return NULL;
}

/* The text behind `what=` in the claims; NULL: there is none. */
static const char *claim(const QemuBoard *board, const char *what)
{
    size_t length = strlen(what);

    for (const char *at = board->claims; *at; at += strspn(at, " ")) {
        if (strncmp(at, what, length) == 0 && at[length] == '=') {
            return at + length + 1;
        }
        at += strcspn(at, " ");
    }
    return NULL;
}

unsigned qemu_board_claims(const QemuBoard *board, const char *what)
{
    const char *text = claim(board, what);

    return text ? atoi(text) : 0;
}

bool qemu_board_flash(
    const QemuBoard *board, const char *what, unsigned unit, char **device, char **bus)
{
    const char *text = claim(board, what);
    g_autofree char *list = text ? g_strndup(text, strcspn(text, " ")) : g_strdup("");
    g_auto(GStrv) units = g_strsplit(list, ",", -1);
    char *at;

    if (unit >= g_strv_length(units) || strcmp(units[unit], "-") == 0) {
        return false;
    }
    at = strchr(units[unit], '@');
    *device = at ? g_strndup(units[unit], at - units[unit]) : g_strdup(units[unit]);
    *bus = g_strdup(at ? at + 1 : "main-system-bus");
    return true;
}

const char *qemu_board_canonical(const QemuBoard *board, const char *name)
{
    g_autofree char *newest = g_strdup_printf("%s-7.2", family(board));

    if (!board->since) {
        return g_intern_string(name ? name : family(board));
    }
    return name && is_version_of(board, name) ? g_intern_string(name) : g_intern_string(newest);
}

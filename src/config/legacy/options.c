/* qemu-system(1) of 7.2, and the options of 0.15.50 that are gone since. */
#include "config/legacy/options.h"

#include <string.h>

#define REPLACED "removed from QEMU since"
#define NO_DISPLAY "lathe has no display: the console is the terminal"
#define NO_AUDIO "lathe has no sound"
#define NO_FIRMWARE_TABLES "lathe's boards have no such firmware tables"
#define NO_MONITOR "lathe has no monitor of this kind"
#define HOST_ONLY "about the host alone: the guest sees no difference"
#define NO_BLUETOOTH "Bluetooth is " REPLACED
#define PC "i386 x86_64"
#define PC_ARM PC " arm aarch64"
#define SPARC_PPC "sparc sparc64 ppc ppc64 ppc64le"
#define SEMIHOSTING                                                                                \
    "arm aarch64 m68k mips mipsel mips64 mips64el nios2 riscv32 riscv64 xtensa xtensaeb"
#define NO_XEN "lathe does not run under Xen"
#define OTHER_ACCEL "lathe translates the guest's instructions whatever accelerates QEMU"

/* clang-format off */
static const QemuOption options[] = {
    /* drives */
    { "drive",    true,  take_drive },
    { "hda",      true,  take_shorthand }, { "hdb", true, take_shorthand },
    { "hdc",      true,  take_shorthand }, { "hdd", true, take_shorthand },
    { "fda",      true,  take_shorthand }, { "fdb", true, take_shorthand },
    { "cdrom",    true,  take_shorthand }, { "sd",  true, take_shorthand },
    { "mtdblock", true,  take_shorthand }, { "pflash", true, take_shorthand },
    { "blockdev", true,  take_group },
    { "snapshot", false, take_flag },
    { "hdachs",   true,  take_geometry },
    { "iscsi",    true,  NULL, LOST, "lathe has no iSCSI session options" },

    /* devices */
    { "device",     true,  take_group },
    { "global",     true,  take_global },
    { "set",        true,  take_set },
    { "object",     true,  take_group },
    { "readconfig", true,  take_readconfig },
    { "writeconfig", true, NULL, LOST, REPLACED },
    { "nodefaults", false, take_flag },
    { "usb",        false, take_flag },
    { "usbdevice",  true,  take_usbdevice },
    { "vga",        true,  NULL, LOST, NO_DISPLAY },
    { "std-vga",    false, NULL, LOST, NO_DISPLAY },
    { "soundhw",    true,  NULL, LOST, NO_AUDIO "; -soundhw was removed from QEMU in 7.1" },
    { "audiodev",   true,  NULL, LOST, NO_AUDIO },
    { "audio",      true,  NULL, LOST, NO_AUDIO },
    { "audio-help", false, take_help },
    { "watchdog",   true,  NULL, LOST, "lathe has no watchdog device" },
    { "watchdog-action", true, NULL, LOST, "lathe has no watchdog device" },
    { "tpmdev",     true,  NULL, LOST, "lathe has no TPM" },
    { "balloon",    true,  NULL, LOST, "write a device of type virtio-balloon" },
    { "virtioconsole", true, NULL, LOST, REPLACED },
    { "bt",         true,  NULL, LOST, NO_BLUETOOTH },
    { "fsdev",      true,  NULL, LOST, "write it under shares" },
    { "virtfs",     true,  NULL, LOST, "write it under shares" },
    { "virtfs_synth", false, NULL, LOST, REPLACED },

    /* the machine */
    { "machine",  true,  take_machine }, { "M", true, take_machine },
    { "cpu",      true,  take_text },
    { "smp",      true,  take_smp },
    { "m",        true,  take_memory },
    { "numa",     true,  NULL, LOST, "lathe's machines have one memory node" },
    { "accel",    true,  NULL, CLOSE, OTHER_ACCEL },
    { "enable-kvm", false, NULL, CLOSE, OTHER_ACCEL },
    { "no-kvm",   false, NULL, EXACT, NULL },
    { "no-kvm-irqchip", false, NULL, CLOSE, OTHER_ACCEL },
    { "no-kvm-pit",     false, NULL, CLOSE, OTHER_ACCEL },
    { "no-kvm-pit-reinjection", false, NULL, CLOSE, OTHER_ACCEL },
    { "kvm-shadow-memory", true, NULL, CLOSE, OTHER_ACCEL },
    { "tdf",      false, NULL, CLOSE, OTHER_ACCEL },
    { "mem-path", true,  NULL, CLOSE, HOST_ONLY },
    { "mem-prealloc", false, NULL, CLOSE, HOST_ONLY },
    { "uuid",     true,  NULL, LOST, NO_FIRMWARE_TABLES },
    { "name",     true,  take_name },
    { "smbios",   true,  NULL, LOST, NO_FIRMWARE_TABLES, PC_ARM },
    { "acpitable", true, NULL, LOST, NO_FIRMWARE_TABLES, PC },
    { "no-acpi",  false, NULL, CLOSE, "lathe's boards have no ACPI", PC_ARM },
    { "no-hpet",  false, NULL, CLOSE, "lathe's boards have no HPET" },
    { "win2k-hack", false, NULL, LOST, "lathe has no such disk", PC },
    { "rtc-td-hack", false, NULL, LOST, REPLACED },
    { "no-fd-bootchk", false, NULL, LOST, "lathe has no PC firmware", PC },
    { "old-param", false, NULL, LOST, "lathe hands over a device tree", "arm aarch64" },
    { "prom-env", true,  NULL, LOST, "lathe has no Open Firmware", SPARC_PPC },
    { "semihosting", false, NULL, LOST, "write cpus.semihosting: true; files of the host are not reached by it", SEMIHOSTING },
    { "semihosting-config", true, NULL, LOST, "write cpus.semihosting: true; what it configures is lost", SEMIHOSTING },
    { "fw_cfg",   true,  NULL, LOST, "fw_cfg entries are made by lathe itself" },

    /* starting */
    { "kernel",   true,  take_text },
    { "initrd",   true,  take_text },
    { "append",   true,  take_text },
    { "dtb",      true,  take_text },
    { "bios",     true,  take_text },
    { "boot",     true,  take_boot },
    { "option-rom", true, NULL, LOST, "lathe has no option ROMs" },
    { "loadvm",   true,  NULL, LOST, "lathe cannot read QEMU's snapshots" },
    { "incoming", true,  NULL, LOST, "lathe has no migration" },
    { "no-reboot", false, NULL, LOST, "write it as a test, or watch the exit code" },
    { "no-shutdown", false, NULL, LOST, "lathe ends when the guest switches off" },
    { "action",   true,  NULL, LOST, "lathe ends when the guest switches off" },

    /* network */
    { "netdev",   true,  take_group },
    { "net",      true,  take_group },
    { "nic",      true,  take_group },
    { "tftp",     true,  NULL, LOST, REPLACED }, { "bootp", true, NULL, LOST, REPLACED },
    { "redir",    true,  NULL, LOST, REPLACED ": write net.NAME.forward" },
    { "smb",      true,  NULL, LOST, REPLACED },

    /* consoles */
    { "serial",   true,  take_serial },
    { "parallel", true,  take_serial },
    { "chardev",  true,  take_group },
    { "monitor",  true,  take_serial },
    { "qmp",      true,  NULL, LOST, NO_MONITOR },
    { "qmp-pretty", true, NULL, LOST, NO_MONITOR },
    { "mon",      true,  NULL, LOST, NO_MONITOR },
    { "debugcon", true,  NULL, LOST, "lathe has no debug console" },
    { "echr",     true,  NULL, LOST, "lathe's terminal has an escape of its own" },
    { "nographic", false, take_flag },
    { "curses",   false, NULL, CLOSE, NO_DISPLAY },
    { "display",  true,  NULL, CLOSE, NO_DISPLAY },
    { "sdl",      false, NULL, LOST, NO_DISPLAY },
    { "vnc",      true,  NULL, LOST, NO_DISPLAY },
    { "spice",    true,  NULL, LOST, NO_DISPLAY },
    { "full-screen", false, NULL, LOST, NO_DISPLAY },
    { "no-frame", false, NULL, LOST, NO_DISPLAY }, { "alt-grab", false, NULL, LOST, NO_DISPLAY },
    { "ctrl-grab", false, NULL, LOST, NO_DISPLAY }, { "no-quit", false, NULL, LOST, NO_DISPLAY },
    { "portrait", false, NULL, LOST, NO_DISPLAY }, { "rotate", true, NULL, LOST, NO_DISPLAY },
    { "show-cursor", false, NULL, LOST, NO_DISPLAY },
    { "g",        true,  NULL, LOST, NO_DISPLAY, "m68k " SPARC_PPC },
    { "k",        true,  NULL, LOST, NO_DISPLAY },

    /* time */
    { "rtc",      true,  take_rtc },
    { "localtime", false, NULL, LOST, "write clock.start" },
    { "startdate", true, NULL, LOST, "write clock.start" },
    { "clock",    true,  NULL, CLOSE, HOST_ONLY },
    { "icount",   true,  take_text },
    { "seed",     true,  NULL, LOST, "write entropy.seed" },

    /* looking inside */
    { "S",        false, take_flag },
    { "s",        false, take_flag },
    { "gdb",      true,  take_gdb },
    { "d",        true,  NULL, LOST, "lathe run --trace shows what is executed" },
    { "D",        true,  NULL, LOST, "lathe run --trace shows what is executed" },
    { "dfilter",  true,  NULL, LOST, "lathe run --trace shows what is executed" },
    { "trace",    true,  NULL, LOST, "lathe run --trace shows what is executed" },
    { "singlestep", false, NULL, CLOSE, HOST_ONLY },
    { "plugin",   true,  NULL, LOST, "lathe has no plugins" },
    { "dump-vmstate", true, NULL, LOST, "lathe cannot read QEMU's snapshots" },
    { "perfmap",  false, NULL, CLOSE, HOST_ONLY }, { "jitdump", false, NULL, CLOSE, HOST_ONLY },
    { "enable-sync-profile", false, NULL, CLOSE, HOST_ONLY },
    { "qtest",    true,  NULL, LOST, "lathe has no qtest" },
    { "qtest-log", true, NULL, LOST, "lathe has no qtest" },

    /* the process */
    { "daemonize", false, NULL, CLOSE, HOST_ONLY },
    { "pidfile",  true,  NULL, CLOSE, HOST_ONLY },
    { "runas",    true,  NULL, CLOSE, HOST_ONLY },
    { "chroot",   true,  NULL, CLOSE, HOST_ONLY },
    { "sandbox",  true,  NULL, CLOSE, HOST_ONLY },
    { "overcommit", true, NULL, CLOSE, HOST_ONLY },
    { "realtime", true,  NULL, CLOSE, HOST_ONLY },
    { "msg",      true,  NULL, CLOSE, HOST_ONLY },
    { "compat",   true,  NULL, CLOSE, HOST_ONLY },
    { "tb-size",  true,  NULL, CLOSE, HOST_ONLY },
    { "async-teardown", false, NULL, CLOSE, HOST_ONLY },
    { "only-migratable", false, NULL, CLOSE, HOST_ONLY },
    { "preconfig", false, NULL, LOST, NO_MONITOR },
    { "add-fd",   true,  NULL, LOST, "lathe opens files by name" },
    { "L",        true,  NULL, LOST, "lathe finds its boards by --path" },
    { "nodefconfig", false, NULL, EXACT, NULL },
    { "no-user-config", false, NULL, EXACT, NULL },
    { "enable-fips", false, NULL, CLOSE, HOST_ONLY },
    { "xen-domid", true, NULL, LOST, NO_XEN }, { "xen-create", false, NULL, LOST, NO_XEN },
    { "xen-attach", false, NULL, LOST, NO_XEN },
    { "xen-domid-restrict", false, NULL, LOST, NO_XEN },
    { "secret",   true,  NULL, LOST, REPLACED },
    { "h",        false, take_help }, { "help", false, take_help }, { "version", false, take_help },
};
/* clang-format on */

/*
 * Options that 7.2 refuses. Others that are gone (-soundhw, -sdl, -localtime, -redir ...) are about
 * what is not translated anyhow, and are let through.
 */
static const char *const gone_in_7_2[] = { "hdachs", "writeconfig", "watchdog", "virtioconsole",
    "bt", "virtfs_synth", "no-kvm-pit-reinjection", "kvm-shadow-memory", "rtc-td-hack", "tftp",
    "bootp", "smb", "show-cursor", "startdate", "clock", "tb-size", "nodefconfig", "enable-fips",
    "xen-create", "secret", "perfmap", "jitdump", NULL };

/* Options that came after August 2011. */
static const char *const not_in_2011[] = { "accel", "action", "add-fd", "async-teardown", "audio",
    "audiodev", "blockdev", "compat", "dfilter", "dtb", "dump-vmstate", "enable-fips",
    "enable-sync-profile", "fw_cfg", "iscsi", "jitdump", "kvm-shadow-memory", "msg", "nic",
    "no-user-config", "object", "only-migratable", "overcommit", "perfmap", "plugin", "preconfig",
    "qmp-pretty", "qtest", "qtest-log", "realtime", "sandbox", "secret", "seed",
    "semihosting-config", "tpmdev", "xen-domid-restrict", NULL };

bool option_exists(const QemuOption *option, LegacyAs as)
{
    return !g_strv_contains(as == AS_7_2 ? gone_in_7_2 : not_in_2011, option->name);
}

bool option_is_for(const QemuOption *option, LegacyAs as, const char *arch)
{
    return as == AS_2011 || !option->archs || opt_is_among(option->archs, arch);
}

const QemuOption *option_find(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        if (strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

void option_names(GPtrArray *names)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        g_ptr_array_add(names, (gpointer)options[i].name);
    }
}

#!/usr/bin/env python3
"""Makes command lines of QEMU about drives, good and bad ones, for QEMU and lathe to be asked about.

usage: lines.py SEED COUNT [KIND...] > lines.tsv    at random (see README.md beside this)
       lines.py all keys|machines|interfaces       every key with every value, every machine, ...

A line of the output is: id, command line, kind, files beside it as JSON (or nothing). Every kind
below is a function that gives one line; the same seed gives the same lines.
"""
import json
import random
import shlex
import sys

X86 = "qemu-system-x86_64"

# Program and machine; "" is the program's own default.
MACHINES = {
    "x86_64": ["", "pc", "q35", "isapc", "microvm", "none", "pc-i440fx-2.9", "pc-q35-4.0",
               "pc-i440fx-7.2", "pc-q35-2.9", "pc-0.12", "pc-1.0", "x-remote", "xenpv", "xenfv"],
    "i386": ["", "pc", "q35", "isapc", "microvm"],
    "aarch64": ["virt", "virt-6.2", "virt-2.6", "sbsa-ref", "raspi3b", "raspi3ap", "xlnx-zcu102",
                "xlnx-versal-virt", "vexpress-a15", "ast2600-evb", "virt-2.5", "raspi4b"],
    "arm": ["virt", "vexpress-a9", "vexpress-a15", "versatilepb", "versatileab", "realview-eb",
            "realview-eb-mpcore", "realview-pb-a8", "realview-pbx-a9", "raspi0", "raspi1ap",
            "raspi2b", "orangepi-pc", "cubieboard", "highbank", "midway", "integratorcp",
            "sabrelite", "mcimx6ul-evk", "mcimx7d-sabre", "xilinx-zynq-a9", "ast2500-evb",
            "ast2600-evb", "romulus-bmc", "palmetto-bmc", "npcm750-evb", "quanta-gsj", "kudo-bmc",
            "smdkc210", "nuri", "n800", "n810", "z2", "mainstone", "connex", "verdex", "borzoi",
            "spitz", "akita", "terrier", "tosa", "collie", "musicpal", "cheetah", "sx1", "sx1-v1",
            "kzm", "imx25-pdk", "lm3s6965evb", "lm3s811evb", "mps2-an385", "mps2-an505",
            "mps3-an547", "musca-a", "musca-b1", "microbit", "netduino2", "netduinoplus2",
            "stm32vldiscovery", "emcraft-sf2", "fuji-bmc", "rainier-bmc", "tacoma-bmc",
            "g220a-bmc", "fby35-bmc", "bletchley-bmc", "supermicrox11-bmc", "swift-bmc", "fby35",
            "witherspoon-bmc", "sonorapass-bmc", "quanta-q71l-bmc", "mori-bmc", "ast1030-evb"],
    "riscv64": ["", "virt", "sifive_u", "sifive_e", "spike", "microchip-icicle-kit", "shakti_c"],
    "riscv32": ["", "virt", "sifive_u", "sifive_e", "spike", "opentitan"],
    "ppc": ["", "g3beige", "mac99", "40p", "pegasos2", "bamboo", "sam460ex", "ppce500",
            "virtex-ml507", "ref405ep", "mpc8544ds"],
    "ppc64": ["", "pseries", "pseries-2.12", "powernv9", "powernv10", "powernv8", "mac99",
              "ppce500", "g3beige", "pseries-7.1"],
    "mips": ["", "malta", "mipssim"],
    "mipsel": ["", "malta", "mipssim"],
    "mips64": ["malta", "magnum", "pica61"],
    "mips64el": ["malta", "boston", "fuloong2e", "loongson3-virt", "magnum", "pica61"],
    "sparc": ["", "SS-5", "SS-4", "SS-10", "SS-20", "SS-600MP", "LX", "SPARCClassic",
              "SPARCbook", "Voyager", "leon3_generic"],
    "sparc64": ["", "sun4u", "sun4v", "niagara"],
    "s390x": ["", "s390-ccw-virtio", "s390-ccw-virtio-6.2"],
    "m68k": ["", "q800", "virt", "mcf5208evb", "an5206", "next-cube"],
    "alpha": ["", "clipper"],
    "hppa": ["", "hppa"],
    "loongarch64": ["", "virt"],
    "sh4": ["r2d", "shix"],
    "sh4eb": ["r2d"],
    "microblaze": ["petalogix-ml605", "petalogix-s3adsp1800"],
    "microblazeel": ["petalogix-ml605", "petalogix-s3adsp1800", "xlnx-zynqmp-pmu"],
    "xtensa": ["sim", "lx60", "lx200", "kc705", "ml605", "virt"],
    "or1k": ["or1k-sim", "virt"],
    "avr": ["uno", "mega2560"],
    "cris": ["axis-dev88"],
    "nios2": ["10m50-ghrd"],
    "rx": ["gdbsim-r5f562n8"],
    "tricore": ["tricore_testboard"],
}

INTERFACES = ["ide", "scsi", "floppy", "pflash", "mtd", "sd", "virtio", "xen", "none"]
BOOLS = ["on", "off", "yes", "no", "true", "false", "y", "n"]
NOT_BOOLS = ["1", "0", "ON", "maybe", "", "Off"]
NUMBERS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "0x1", "010", " 1", "+1", "-1", "1 "]
NOT_NUMBERS = ["abc", "", "1k", "1.5", "0x", "99999999999999999999", "4294967296", "-2", "1,0"]
SIZES = ["1M", "65536", "2m", "512K", "1G", "1.5M", "0x10000", "0", "0x1M"]
NOT_SIZES = ["1Q", "M", "", "-1", "1e3", "0x1E", "0x", "0x1.5M", "abc", "1MB"]
FORMATS = ["raw", "qcow2", "qcow", "qed", "vdi", "vmdk", "vpc", "vhdx", "parallels", "dmg",
           "bochs", "cloop", "luks"]
MADE = ["raw", "qcow2", "qcow", "qed", "vdi", "vmdk", "vpc", "vhdx", "parallels"]
ENDINGS = {"raw": "img", "vpc": "vhd", "parallels": "hdd"}

# Every key of -drive, with values that are right and others.
KEYS = {
    "cache": (["none", "off", "writeback", "writethrough", "directsync", "unsafe"],
              ["None", "", "on", "wb", "write-back"]),
    "cache.direct": (BOOLS, NOT_BOOLS), "cache.writeback": (BOOLS, NOT_BOOLS),
    "cache.no-flush": (BOOLS, NOT_BOOLS),
    "aio": (["threads", "native", "io_uring"], ["", "Threads", "posix", "off"]),
    "discard": (["ignore", "off", "unmap", "on"], ["yes", "", "trim", "Unmap"]),
    "detect-zeroes": (["on", "off", "unmap"], ["true", "", "yes", "ON"]),
    "snapshot": (BOOLS, NOT_BOOLS), "readonly": (BOOLS, NOT_BOOLS),
    "read-only": (BOOLS, NOT_BOOLS), "auto-read-only": (BOOLS, NOT_BOOLS),
    "force-share": (BOOLS, NOT_BOOLS), "copy-on-read": (BOOLS, NOT_BOOLS),
    "werror": (["enospc", "stop", "report", "ignore"], ["auto", "", "Stop", "foo"]),
    "rerror": (["stop", "report", "ignore"], ["enospc", "auto", "", "foo"]),
    "media": (["disk", "cdrom"], ["", "CDROM", "floppy", "dvd"]),
    "index": (NUMBERS, NOT_NUMBERS), "bus": (NUMBERS, NOT_NUMBERS), "unit": (NUMBERS, NOT_NUMBERS),
    "if": (INTERFACES, ["", "sata", "IDE", "usb", "nvme", "on"]),
    "id": (["d0", "hd", "a.b-c_d", "ide0-hd0", "virtio0", "none0", "X"],
           ["", "0d", "a b", "-x", "a/b", "#d", "d:0", "é"]),
    "node-name": (["n0", "node.1", "n" * 31], ["", "0n", "n" * 32, "a b", "ide0-hd0", "#n"]),
    "serial": (["ABC"], [""]), "addr": (["5"], [""]), "cyls": (["100"], []), "heads": (["16"], []),
    "secs": (["63"], []), "trans": (["lba"], []), "boot": (["on"], []),
    "stats-account-invalid": (BOOLS, NOT_BOOLS), "stats-account-failed": (BOOLS, NOT_BOOLS),
    "stats-intervals.0": (["60", "1"], ["0", "-1", "x", ""]), "stats-intervals": (["60"], []),
    "stats-intervals.1": (["60"], ["0"]), "foo": (["1"], [""]), "x-cached": (["on"], []),
    "file.locking": (["on", "off", "auto"], ["", "yes"]), "file.aio": (["threads", "native"], ["x"]),
    "file.cache.direct": (BOOLS, NOT_BOOLS), "file.discard": (["unmap", "ignore"], ["x"]),
    "file.read-only": (BOOLS, NOT_BOOLS), "file.node-name": (["f0"], ["0f"]),
    "file.driver": (["file", "host_device", "raw", "qcow2", "null-co"], ["", "foo", "File"]),
    "file.foo": (["1"], []), "file.detect-zeroes": (["on", "unmap"], ["x"]),
    "file.auto-read-only": (BOOLS, []), "file.drop-cache": (["on"], ["x"]),
    "file.x-check-cache-dropped": (["on"], []), "file.aio-max-batch": (["0", "32"], ["x"]),
}
QCOW2_KEYS = {
    "lazy-refcounts": (BOOLS, NOT_BOOLS), "l2-cache-size": (SIZES, NOT_SIZES),
    "cache-size": (SIZES, NOT_SIZES), "refcount-cache-size": (SIZES, NOT_SIZES),
    "l2-cache-entry-size": (["512", "4096", "64K"], ["1000", "x"]),
    "cache-clean-interval": (["0", "900"], ["x", "-1"]),
    "pass-discard-request": (BOOLS, NOT_BOOLS), "pass-discard-snapshot": (BOOLS, NOT_BOOLS),
    "pass-discard-other": (BOOLS, NOT_BOOLS),
    "overlap-check": (["none", "constant", "cached", "all"], ["x"]),
    "overlap-check.template": (["none", "all"], ["x"]), "overlap-check.main-header": (BOOLS, []),
    "encrypt.format": (["luks", "aes"], ["x"]), "encrypt.key-secret": (["s0"], []),
    "backing": (["", "nope"], []), "backing.driver": (["raw"], ["foo"]),
    "backing.file.filename": (["base.img"], ["missing.img"]),
    "data-file.driver": (["file"], []), "data-file.filename": (["data.img"], []),
    "discard-no-unref": (["on"], []),
}
RAW_KEYS = {"offset": (["0", "512", "1M", "65536"], ["x", "-1", "1Q", "128M", "100"]),
            "size": (["512", "1M", "32M", "1048576"], ["x", "0", "1Q", "128M", "100"])}
LIMITS = [k + w for k in ("bps", "iops") for w in ("", "_rd", "_wr")]
MODERN = ["throttling.%s-%s" % (k, w) for k in ("bps", "iops") for w in ("total", "read", "write")]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.files = None

    def chance(self, percent):
        return self.r.randrange(100) < percent

    def pick(self, of):
        return self.r.choice(of)

    def value(self, pools, bad=25):
        good, wrong = pools
        return self.pick(wrong if wrong and self.chance(bad) else good)

    def image(self, names="abcdefgh"):
        """A file name and its format."""
        fmt = self.pick(["raw"] * 4 + ["qcow2"] * 6 + MADE)
        return "%s.%s" % (self.pick(names), ENDINGS.get(fmt, fmt)), fmt

    def file_keys(self, names="abcdefgh"):
        name, fmt = self.image(names)
        keys = ["file=" + name]
        if self.chance(75):
            keys.append("format=" + fmt)
        return keys

    def random_key(self, pools, bad=25):
        key = self.pick(sorted(pools))
        value = self.value(pools[key], bad)
        if value in ("on", "off") and self.chance(15):
            return key if value == "on" else "no" + key
        return "%s=%s" % (key, value)

    def throttle(self, count=None):
        keys = []
        for _ in range(count or self.r.randrange(1, 4)):
            key = self.pick(LIMITS + MODERN)
            if self.chance(35):
                key += "_max" if key in LIMITS else "-max"
                if self.chance(40):
                    key += "_length" if key.startswith(("bps", "iops")) else "-length"
            number = self.pick(["0", "1", "10", "100", "1000", "1048576"] +
                               (["-1", "1M", "1000000000000001", "", "x", "0x100", "1000000000000000"]
                                if self.chance(30) else []))
            keys.append("%s=%s" % (key, number))
        if self.chance(25):
            keys.append(self.pick(["iops_size=4096", "throttling.iops-size=512", "iops_size=x"]))
        if self.chance(25):
            keys.append(self.pick(["group=g", "throttling.group=g", "group=h", "group="]))
        return keys

    def program(self, archs=None):
        arch = self.pick(archs or sorted(MACHINES))
        machine = self.pick(MACHINES[arch])
        words = ["qemu-system-" + arch]
        if machine:
            words += [self.pick(["-M", "-machine", "-M", "--machine"]), machine]
        return words

    def shuffled(self, keys):
        keys = list(keys)
        self.r.shuffle(keys)
        return keys

    def drive(self, keys, option="-drive"):
        return [option, ",".join(keys)]

    # ---- kinds ----

    def one_key(self):
        """One key more than usual."""
        keys = self.file_keys("a") if self.chance(88) else []
        if keys and self.chance(35):
            keys.append("if=" + self.pick(INTERFACES))
        keys.append(self.random_key(KEYS, 35))
        return [X86] + self.drive(self.shuffled(keys) if self.chance(30) else keys)

    def some_keys(self):
        """Several keys at once, any order."""
        keys = self.file_keys("a") if self.chance(92) else []
        keys += [self.random_key(KEYS, 6) for _ in range(self.r.randrange(2, 5))]
        if self.chance(20):
            keys += self.throttle(1)
        return self.program(["x86_64"] * 5 + ["aarch64", "ppc64", "i386"]) + \
            self.drive(self.shuffled(keys)) + (["-snapshot"] if self.chance(10) else [])

    def driver_keys(self):
        """Keys of the format or the protocol."""
        if self.chance(65):
            keys = ["file=a.qcow2"] + (["format=qcow2"] if self.chance(70) else [])
            pools = QCOW2_KEYS
        else:
            keys = ["file=a.img"] + (["format=raw"] if self.chance(70) else [])
            pools = RAW_KEYS
        keys += [self.random_key(pools, 25) for _ in range(self.r.randrange(1, 3))]
        if self.chance(15):
            keys.append("if=" + self.pick(["virtio", "none", "scsi"]))
        return [X86] + self.drive(keys)

    def formats(self):
        """What was said of the format, and what the file is."""
        fmt = self.pick(FORMATS + ["file", "host_device", "nbd", "null-co", "blkdebug", "throttle",
                                   "copy-on-read", "quorum", "vvfat", "foo", "", "RAW", "vfat",
                                   "replication", "preallocate", "compress", "null-aio", "nvme",
                                   "blkverify", "blklogwrites", "copy-before-write", "ssh", "iscsi"])
        name = self.pick(["x." + (fmt or "img"), "a.img", "a.qcow2", "b.vmdk", "c.vdi", "d.vhd"])
        key = self.pick(["format", "driver", "format", "driver"])
        keys = ["%s=%s" % (self.pick(["file", "file", "file", "file.filename", "filename"]), name),
                "%s=%s" % (key, fmt)]
        if self.chance(10):
            keys.append("format=raw")
        if self.chance(25):
            keys.append("if=" + self.pick(INTERFACES))
        if self.chance(15):
            keys.append("media=cdrom")
        return [X86] + self.drive(self.shuffled(keys))

    def throttles(self):
        words = [X86]
        for i in range(self.pick([1, 1, 1, 2, 3])):
            name = "abc"[i]
            keys = ["file=%s.qcow2" % name, "format=qcow2", "if=" +
                    self.pick(["virtio"] * 5 + ["ide", "none", "scsi"])]
            if self.chance(30):
                keys.append("id=" + "def"[i])
            words += self.drive(keys + self.throttle())
        return words

    def addresses(self):
        """index, bus and unit, and who is where already."""
        archs = ["x86_64"] * 4 + ["i386", "arm", "aarch64", "ppc64", "mips", "sparc", "sparc64",
                                  "mips64el", "ppc", "hppa", "alpha"]
        words = self.program(archs)
        interface = self.pick(["", "", "", "ide", "scsi", "floppy", "virtio", "none", "sd", "pflash"])
        for i in range(self.pick([1, 1, 2, 2, 3, 4])):
            if self.chance(18):
                words += [self.pick(["-hda", "-hdb", "-hdc", "-hdd", "-cdrom", "-fda", "-fdb"]),
                          "%s.img" % "pqrs"[i]]
                continue
            keys = ["file=%s.img" % "abcd"[i], "format=raw"]
            if interface and self.chance(85):
                keys.append("if=" + interface)
            if self.chance(15):
                keys.append("media=" + self.pick(["cdrom", "disk"]))
            for key in ("index", "bus", "unit"):
                if self.chance(40 if key == "index" else 25):
                    keys.append("%s=%s" % (key, self.value(KEYS[key], 8)))
            if self.chance(15):
                keys.append("id=" + self.pick(["d0", "d1", "ide0-hd0", "ide1-cd0", "scsi0-hd1"]))
            words += self.drive(self.shuffled(keys))
        return words

    def shorthands(self):
        words = self.program() if self.chance(50) else [X86]
        options = ["-hda", "-hdb", "-hdc", "-hdd", "-cdrom", "-fda", "-fdb", "-sd", "-mtdblock",
                   "-pflash", ""]
        for i in range(self.pick([1, 2, 2, 3, 4])):
            option = self.pick(options)
            name = self.pick(["a.img", "b.img", "c.iso", "d.qcow2", "e,f.img", "a.img", "fd.img",
                              "missing.img", "file:g.img", "./x:y.img"] + ["%s.img" % "uvwx"[i]] * 8)
            if not option:
                words.append(name)
            else:
                words += [option if self.chance(90) else "-" + option, name]
        if self.chance(20):
            words.insert(self.r.randrange(1, len(words)) if self.chance(0) else len(words),
                         self.pick(["-snapshot", "-nodefaults"]))
        return words

    def machine_empty(self):
        return self.program() + (["-nodefaults"] if self.chance(15) else [])

    def machine_drive(self):
        """Any machine, one or two drives of any interface."""
        words = self.program()
        for i in range(self.pick([1, 1, 2])):
            name = self.pick(["sd.img", "a.img", "disk.qcow2", "c.iso", "pf.bin"])
            keys = ["file=%d%s" % (i, name)] + (["format=raw"] if "qcow2" not in name and
                                                self.chance(80) else [])
            if self.chance(65):
                keys.append("if=" + self.pick(INTERFACES))
            if name == "c.iso" and self.chance(60):
                keys.append("media=cdrom")
            if self.chance(25):
                keys.append("%s=%d" % (self.pick(["index", "unit", "bus"]), self.r.randrange(4)))
            if self.chance(10):
                keys.append(self.pick(["readonly=on", "snapshot=on", "cache=none", "werror=stop"]))
            words += self.drive(keys)
        if self.chance(10):
            words.append(self.pick(["-nodefaults", "-snapshot"]))
        return words

    def machine_short(self):
        words = self.program()
        for _ in range(self.pick([1, 1, 2])):
            words += [self.pick(["-hda", "-cdrom", "-fda", "-sd", "-mtdblock", "-pflash", "-hdb"]),
                      self.pick(["a.img", "b.img", "c.iso", "p.bin"])]
        return words

    def defaults(self):
        """What takes the machine's own drives away."""
        words = self.program(["x86_64"] * 3 + ["i386", "arm", "aarch64", "ppc64", "mips", "sparc"])
        pool = [["-nodefaults"], ["-device", "ide-cd"], ["-device", "scsi-cd"], ["-device", "floppy"],
                ["-device", "isa-fdc"], ["-device", "virtio-scsi-pci"], ["-cdrom", "c.iso"],
                ["-device", "usb-storage,drive=d"], ["-global", "ide-hd.write-cache=off"],
                ["-global", "floppy.drive-type=288"], ["-global", "isa-fdc.driveA=f"],
                ["-global", "driver=ide-cd,property=unit,value=1"], ["-usb"], ["-fda", "f.img"],
                ["-drive", "if=none,id=d,file=a.img,format=raw"], ["-hda", "h.img"],
                ["-device", "ide-hd,drive=d"], ["-device", "floppy,drive=f"],
                ["-device", "scsi-hd,drive=d"], ["-device", "lsi53c895a"], ["-device", "ahci,id=ahci"],
                ["-drive", "if=none,id=f,file=f.img,format=raw"], ["-drive", "if=floppy"],
                ["-drive", "if=ide,index=2"], ["-drive", "media=cdrom"], ["-drive", "if=sd"],
                ["-no-user-config"], ["-drive", ""], ["-snapshot"], ["-drive", "if=pflash"]]
        for option in self.r.sample(pool, self.pick([1, 2, 2, 3])):
            words += option
        return words

    def device(self, arch="x86_64"):
        """if=none and a -device for it."""
        words = self.program(["x86_64"] * 5 + ["aarch64", "i386", "ppc64", "riscv64", "s390x", "arm",
                                               "mips64el", "m68k"])
        count = self.pick([1, 1, 1, 2, 3])
        for i in range(count):
            keys = ["if=" + self.pick(["none"] * 12 + ["virtio", "ide"]), "id=d%d" % i]
            if self.chance(95):
                keys += self.file_keys("abc"[i])
            if self.chance(30):
                keys.append(self.random_key({k: KEYS[k] for k in (
                    "cache", "readonly", "snapshot", "media", "werror", "rerror", "discard", "aio",
                    "detect-zeroes", "cache.writeback")}, 0))
            words += self.drive(keys)
        controllers = self.r.sample(
            [["-device", "virtio-scsi-pci,id=s0"], ["-device", "ahci,id=ahci"],
             ["-device", "lsi53c895a,id=lsi"], ["-device", "megasas,id=m0"], ["-device", "am53c974"],
             ["-device", "mptsas1068"], ["-device", "pvscsi,id=pv"], ["-usb"],
             ["-device", "qemu-xhci,id=xhci"], ["-device", "usb-ehci,id=ehci"],
             ["-device", "nec-usb-xhci"], ["-device", "virtio-scsi-device,id=vs"],
             ["-device", "piix4-ide,id=p4"], ["-device", "sdhci-pci"], ["-device", "virtio-scsi"],
             ["-device", "nvme,id=n0,serial=x"], ["-device", "usb-uas,id=uas"],
             ["-device", "pci-bridge,chassis_nr=1,id=br"], ["-device", "virtio-scsi-ccw"],
             ["-device", "pcie-root-port,id=rp,chassis=1"]], self.pick([0, 1, 1, 2]))
        devices = []
        for i in range(count):
            name = self.pick(["virtio-blk-pci", "virtio-blk", "ide-hd", "ide-cd", "scsi-hd", "scsi-cd",
                              "usb-storage", "virtio-blk-device", "nvme", "sd-card", "floppy", "usb-bot",
                              "scsi-block", "scsi-generic", "nvme-ns", "virtio-blk-ccw", "ide-drive",
                              "scsi-disk", "usb-uas", "virtio-blk-pci-non-transitional",
                              "virtio-blk-pci-transitional", "vhost-user-blk-pci", "nope"][:
                                  self.pick([8, 12, 23])])
            keys = [name if self.chance(90) else "driver=" + name]
            if self.chance(94):
                keys.append("drive=" + (self.pick(["d%d" % i] * 14 + ["nope", "d0"])))
            if name.startswith("nvme") or self.chance(12):
                keys.append("serial=" + self.pick(["S1", "deadbeef", "", "a,,b"]))
            if self.chance(25):
                keys.append("bus=" + self.pick(["ide.0", "ide.1", "s0.0", "ahci.0", "ahci.3", "ahci.9",
                                                "scsi.0", "lsi.0", "pci.0", "usb-bus.0", "xhci.0",
                                                "nope.0", "pcie.0", "uas.0", "n0", "ide.2", "ahci"]))
            if self.chance(15):
                keys.append("unit=" + self.pick(["0", "1", "2", "x"]))
            if self.chance(15):
                keys.append("scsi-id=" + self.pick(["0", "3", "7", "255", "256", "x"]))
            if self.chance(12):
                keys.append("lun=" + self.pick(["0", "1", "7", "8", "16384", "x"]))
            if self.chance(12):
                keys.append(self.pick(["write-cache=on", "write-cache=off", "write-cache=auto",
                                       "write-cache=x"]))
            if self.chance(12):
                keys.append(self.pick(["werror=stop", "rerror=ignore", "werror=auto", "werror=x",
                                       "bootindex=1", "share-rw=on", "foo=1", "logical_block_size=512",
                                       "logical_block_size=4096", "physical_block_size=4096",
                                       "channel=0", "channel=1", "removable=on", "addr=0x7",
                                       "cyls=100,heads=16,secs=63", "cyls=1", "num-queues=2",
                                       "wwn=0x5000c50015ea71aa", "id=dev%d" % i, "nsid=3"]))
            devices += ["-device", ",".join(keys)]
        rest = [devices, sum(controllers, [])]
        if self.chance(12):
            rest.reverse()
            return words + rest[1] + rest[0] if self.chance(50) else [words[0]] + rest[0] + words[1:] + rest[1]
        return words + rest[1] + rest[0]

    def node(self, name, file_driver="file"):
        keys = [self.pick(["driver=%s", "%s"]) % file_driver, "node-name=" + name,
                "filename=%s.img" % name]
        for _ in range(self.pick([0, 0, 1, 2])):
            keys.append(self.random_key({
                "read-only": (BOOLS, ["1"]), "auto-read-only": (BOOLS, []), "discard": (
                    ["unmap", "ignore"], ["on", "off"]), "cache.direct": (BOOLS, ["1"]),
                "cache.no-flush": (BOOLS, []), "aio": (["threads", "native", "io_uring"], ["x"]),
                "detect-zeroes": (["on", "off", "unmap"], ["x"]), "locking": (["on", "off", "auto"],
                                                                           ["x"]),
                "force-share": (BOOLS, []), "foo": (["1"], []), "cache": (["none"], []),
                "if": (["virtio"], []), "media": (["disk"], []), "id": (["x"], []),
                "snapshot": (["on"], []), "readonly": (["on"], []), "werror": (["stop"], []),
                "pr-manager": (["x"], [])}, 15))
        return keys

    def blockdev(self):
        words = self.program(["x86_64"] * 6 + ["aarch64", "riscv64", "arm"])
        style = self.r.randrange(6)
        if style == 0:
            words += ["-blockdev", ",".join(self.node("f0"))]
            top = "f0"
        elif style == 1:
            words += ["-blockdev", ",".join(self.node("f0")), "-blockdev",
                      "driver=%s,node-name=q0,file=%s" % (self.pick(["raw", "raw", "qcow2", "vmdk", "foo"]),
                                                         self.pick(["f0"] * 8 + ["nope", "a.img"])) +
                      self.pick(["", "", ",read-only=on", ",discard=unmap", ",cache.direct=on",
                                 ",detect-zeroes=unmap", ",offset=512", ",size=1M", ",backing=f0"])]
            top = "q0"
        elif style == 2:
            fmt = self.pick(["qcow2", "raw", "qcow2", "vmdk"])
            words += ["-blockdev", self.pick(["driver=", ""]) + fmt + ",node-name=q0,file.driver=file," +
                      "file.filename=a.%s" % ENDINGS.get(fmt, fmt) +
                      self.pick(["", "", ",file.node-name=f0", ",file.aio=native,file.cache.direct=on",
                                 ",file.locking=off", ",cache.direct=on", ",cache.no-flush=on",
                                 ",file.read-only=on", ",read-only=on", ",lazy-refcounts=on"])]
            top = "q0"
        elif style == 3:
            tree = {"driver": "qcow2", "node-name": "q0",
                    "file": {"driver": "file", "filename": "a.qcow2"}}
            for _ in range(self.pick([0, 1, 2])):
                key, value = self.pick([("read-only", True), ("read-only", "on"), ("discard", "unmap"),
                                        ("cache", {"direct": True, "no-flush": False}), ("cache", "none"),
                                        ("detect-zeroes", "on"), ("l2-cache-size", 1048576),
                                        ("l2-cache-size", "1M"), ("backing", None), ("foo", 1),
                                        ("lazy-refcounts", True), ("auto-read-only", True)])
                tree[key] = value
            words += ["-blockdev", json.dumps(tree)]
            top = "q0"
        elif style == 4:
            words += ["-blockdev", "driver=%s,node-name=z%s" % (
                self.pick(["null-co", "null-aio"]),
                self.pick(["", ",size=1048576", ",size=1M", ",read-zeroes=on", ",latency-ns=5",
                           ",filename=x"]))]
            top = "z"
        else:
            words += ["-blockdev", ",".join(self.node("f0")), "-drive",
                      self.pick(["if=none,id=d,file=f0", "if=virtio,id=f0,file=b.img,format=raw",
                                 "driver=raw,file.filename=b.img,node-name=f0",
                                 "driver=qcow2,file=a.qcow2,backing=f0", "driver=raw,file=f0"])]
            top = "f0"
        if self.chance(80):
            words += ["-device", "%s,drive=%s" % (
                self.pick(["virtio-blk-pci", "virtio-blk-pci", "ide-hd", "ide-cd", "virtio-blk-device",
                           "usb-storage", "scsi-hd"]), self.pick([top] * 9 + ["nope", "f0"])) +
                      self.pick(["", "", "", ",write-cache=off", ",serial=X", ",id=v0", ",share-rw=on"])]
            if self.chance(15):
                words += ["-device", "virtio-blk-pci,drive=" + top]
        if self.chance(12):
            words.append("-snapshot")
        if words[-1].startswith("scsi-hd") or self.chance(10):
            words[1:1] = ["-device", "virtio-scsi-pci"]
        return words

    def names(self):
        """File names: protocols, json:, doubled commas, folders, none."""
        name = self.pick([
            "a.img", "./a.img", "/abs/a.img", "a,,b.img", "a b.img", "a=b.img", '"a.img"', "a.img,,",
            "file:a.img", "file:///a.img", "file:x:y.img", "x:y.img", "./x:y.img", "", "on", "dir/",
            "fat:dir", "fat:rw:dir", "fat:floppy:dir", "fat:16:dir", "fat:32:rw:dir", "fat:rw:floppy:dir",
            "fat:12:floppy:rw:dir", "nbd:localhost:10809", "nbd:unix:/tmp/s", "nbd://h/x",
            "nbd+unix:///e?socket=/tmp/s", "http://h/a.iso", "https://h/a", "ftp://h/a", "ssh://h/x",
            "iscsi://h/t/0", "rbd:pool/img", "gluster://h/v/a", "nfs://h/e/a", "sheepdog:v", "tftp://h/a",
            "null-co://", "null-aio://", "null-co://,file.size=1M", "foo:bar", "blkdebug::a.img",
            "blkdebug:cfg:a.img", "blkverify:a.img:b.img", "nvme://0000:01:00.0/1", "host_device:a",
            "/dev/cdrom", "/dev/null", "/dev/zero", "/dev/sda", "/dev/fd0", "/dev/sr0", "missing.img",
            "nosuch/a.img", "~/a.img", "../a.img", "file:", "raw:a.img", "qcow2:a", "C:\\a.img", "a:b/c",
            "dir/a:b", "json:", "json:{}", "json:[1]", 'json:{"driver":"null-co"}',
            'json:{"driver":"raw",,"file":{"driver":"file",,"filename":"a.img"}}',
            'json:{"driver":"qcow2",,"file":{"driver":"file",,"filename":"a.qcow2"}}',
            'json:{"driver":"qcow2",,"file.driver":"file",,"file.filename":"a.qcow2"}',
            'json:{"file":{"driver":"file",,"filename":"a.img"}}', 'json:{"driver":"file",,"filename":"a.img"}',
            'json:{"driver":"raw"', 'json:{"driver":"raw",,"file":"a.img"}',
            'json:{"driver":"raw",,"file.filename":"a.img",,"read-only":true}',
            'json:{"driver":"raw",,"file.filename":"a.img",,"read-only":"on"}',
            'json:{"driver":"raw",,"file.filename":"a.img",,"foo":1}',
            'json:{"driver":"raw",,"file.filename":"a.img",,"cache.direct":true}',
            'json:{"driver":"null-co",,"size":1048576}', 'json:{"driver":"null-co",,"size":"1M"}'])
        keys = ["file=" + name]
        if self.chance(40):
            keys.append(self.pick(["format=", "driver="]) + self.pick(
                ["raw"] * 5 + ["qcow2", "file", "null-co", "nbd", "vvfat", "vmdk"]))
        if self.chance(50):
            keys.append("if=" + self.pick(["virtio", "ide", "none", "floppy", "scsi", "sd", "pflash"]))
        if self.chance(25):
            keys.append(self.pick(["readonly=on", "media=cdrom", "snapshot=on", "cache=none", "aio=native",
                                   "discard=unmap", "copy-on-read=on", "readonly=off", "cache=directsync",
                                   "auto-read-only=off", "index=1", "id=d0", "read-only=on"]))
        if self.chance(15):
            return [X86, self.pick(["-hda", "-cdrom", "-fda", "-hdb", "-sd"]), name.replace(",,", ",")]
        return [X86] + self.drive(self.shuffled(keys) if self.chance(30) else keys)

    def dotted(self):
        """Graphs of nodes in dotted keys."""
        keys = self.pick([
            ["driver=qcow2", "file.driver=file", "file.filename=a.qcow2"],
            ["driver=qcow2", "file.filename=a.qcow2"], ["file.filename=a.img"],
            ["file.driver=file", "file.filename=a.img"], ["driver=raw", "file.file.filename=a.img"],
            ["driver=raw", "file.driver=qcow2", "file.file.filename=a.qcow2"],
            ["driver=file", "filename=a.img"], ["driver=raw", "filename=a.img"], ["driver=null-co"],
            ["driver=null-co", "size=1M"], ["driver=null-aio", "size=1G", "read-zeroes=on"],
            ["driver=throttle", "throttle-group=t", "file.filename=a.img"],
            ["driver=copy-on-read", "file.filename=a.img"],
            ["driver=copy-on-read", "file.driver=qcow2", "file.file.filename=a.qcow2"],
            ["driver=blkdebug", "image.filename=a.img"], ["driver=blkdebug", "image=a.img"],
            ["driver=quorum", "vote-threshold=1", "children.0.file.filename=a.img"],
            ["driver=quorum", "vote-threshold=2", "children.0.file.filename=a.img",
             "children.1.file.filename=b.img"],
            ["file.driver=null-co", "file.size=1M"], ["file.driver=nbd", "file.host=h", "file.port=10809"],
            ["driver=vvfat", "dir=d"], ["driver=vvfat", "dir=d", "rw=on"], ["file.driver=vvfat", "file.dir=d"],
            ["driver=vvfat", "dir=d", "fat-type=16", "floppy=on"], ["file=a.qcow2", "backing=nope"],
            ["file=a.qcow2", "format=qcow2", "backing.file.filename=b.img", "backing.driver=raw"],
            ["file=a.qcow2", "format=qcow2", "backing.driver=qcow2", "backing.file.filename=b.qcow2"],
            ["file=a.qcow2", "format=qcow2", "backing.driver=raw", "backing.file.driver=file",
             "backing.file.filename=b.img", "backing.file.locking=off"],
            ["file=a.qcow2", "format=qcow2", "backing="], ["file=a.img", "format=raw", "backing="],
            ["driver=luks", "file.filename=a.img", "key-secret=s"], ["driver=preallocate", "file.filename=a.img"],
            ["driver=compress", "file.driver=qcow2", "file.file.filename=a.qcow2"],
            ["file=a.img", "file.filename=b.img"], ["file=a.img", "filename=b.img"],
            ["driver=blkverify", "test.filename=a.img", "raw.filename=b.img"],
            ["driver=host_device", "filename=a.img"]])
        keys = list(keys)
        if self.chance(50):
            keys.append("if=" + self.pick(["virtio", "none", "ide", "scsi"]))
        if self.chance(50):
            keys.append(self.pick(["read-only=on", "cache=none", "cache.direct=on", "file.cache.direct=on",
                                   "node-name=n0", "file.node-name=f0", "discard=unmap", "snapshot=on",
                                   "file.read-only=on", "file.foo=1", "detect-zeroes=on", "aio=native",
                                   "file.aio=io_uring", "cache=directsync", "backing.cache.direct=on",
                                   "auto-read-only=off", "file.locking=off", "force-share=on",
                                   "media=cdrom", "copy-on-read=on", "bps=100", "id=d0", "cache=unsafe"]))
        return [X86] + self.drive(self.shuffled(keys) if self.chance(30) else keys)

    def syntax(self):
        """The option string itself."""
        base = self.file_keys("a") + ["id=d"]
        extra = self.pick([
            [""], ["", ""], ["no"], ["="], ["=x"], ["readonly"], ["noreadonly"], ["snapshot"],
            ["nosnapshot"], [" format=raw"], ["format=raw "], ["FORMAT=raw"], ["format=qcow2", "format=raw"],
            ["readonly=on", "readonly=off"], ["readonly=off", "readonly=on"], ["id=e"], ["cache=none", "cache=none"],
            ["read-only=on", "readonly=on"], ["bps=1", "throttling.bps-total=1"], ["if=virtio", "if=none"],
            ["file=b.img"], ["snapshot=on", "snapshot=off"], ["media=cdrom", "media=disk"], ["werror"],
            ["discard"], ["detect-zeroes"], ["copy-on-read"], ["nocopy-on-read"], ["aio"], ["index"],
            ["noindex"], ["node-name"], ["cache.direct"], ["nocache.direct"], ["format"], ["noformat"], ["if"],
            ["media"], ["group"], ["bps"], ["nobps"], ["iops=10", "iops=20"], ["unit=0", "unit=1"],
            ["index=1", "index=2"], ["werror=stop", "werror=report"], ["driver=raw"], ["help"], ["?"],
            ["format=help"], ["format=?"], ["if=help"], ["cache=help"], ["discard=on", "discard=off"],
            ["throttling.group=a", "group=b"], ["bps=1", "bps_rd=1"], ["node-name=a", "node-name=b"]])
        keys = base + extra if self.chance(70) else self.shuffled(base + extra)
        words = [X86] + self.drive(keys, self.pick(["-drive", "--drive"]))
        if self.chance(35):
            words += ["-set", "drive.%s.%s" % (self.pick(["d"] * 6 + ["x"]), self.random_key(KEYS, 15))]
        if self.chance(5):
            words += self.pick([["-drive"], ["-foo"], ["-hda"], ["-set", "drive.d"], ["-set", "x"],
                                ["-drive", ""], ["-global", "x"], ["-global", "ide-hd.serial=X"],
                                ["-readconfig", "missing.cfg"], ["-hdachs", "1,2,3"]])
        return words

    def readconfig(self):
        keys = [("file", "a.qcow2"), ("format", "qcow2")]
        for _ in range(self.r.randrange(4)):
            text = self.random_key(KEYS, 15)
            if "=" in text:
                keys.append(tuple(text.split("=", 1)))
        lines = [self.pick(["[drive]", '[drive "d0"]', '[drive "d0"]', "[drives]", '[drive "0"]',
                            "[drive"] if self.chance(15) else ['[drive "d0"]', "[drive]"])]
        for key, value in keys:
            lines.append("  %s = %s" % (key, '"%s"' % value if self.chance(93) else value))
        if self.chance(25):
            lines.insert(self.r.randrange(len(lines) + 1), self.pick(["# comment", "", "  # x", "x", "x = y"]))
        if self.chance(35):
            lines += ['[device "dev0"]', '  driver = "%s"' % self.pick(["virtio-blk-pci", "ide-hd"]),
                      '  drive = "%s"' % self.pick(["d0", "nope"])]
            if self.chance(70):
                lines.insert(1, '  if = "none"')
        if self.chance(15):
            lines += ["[machine]", '  type = "%s"' % self.pick(["q35", "pc"])]
        self.files = {"c.cfg": "\n".join(lines) + "\n"}
        words = [X86]
        if self.chance(20):
            words += ["-hda", "h.img"]
        words += ["-readconfig", "c.cfg"]
        if self.chance(25):
            words += ["-set", "drive.d0." + self.random_key(KEYS, 10)]
        if self.chance(15):
            words += self.pick([["-hdb", "i.img"], ["-snapshot"], ["-nodefaults"]])
        return words

    def locks(self):
        """The same file twice."""
        words = [X86]
        for _ in range(2):
            keys = ["file=a.img", "format=raw", "if=" + self.pick(["virtio", "ide", "none", "scsi"])]
            keys += self.r.sample(["readonly=on", "file.locking=off", "snapshot=on", "media=cdrom",
                                   "force-share=on"], self.pick([0, 1, 1, 2]))
            words += self.drive(keys)
        return words

    def whole(self):
        """As people write them: a whole machine."""
        words = self.program(["x86_64"] * 6 + ["aarch64"] * 2 + ["arm", "riscv64", "ppc64", "i386", "s390x",
                                                               "mips", "sparc64"])
        words += self.r.sample(["-enable-kvm", "-nographic", "-no-reboot", "-S", "-s", "-usb"],
                               self.r.randrange(3))
        words += sum(self.r.sample(
            [["-m", "512"], ["-m", "2G"], ["-smp", "2"], ["-smp", "4,cores=2"], ["-boot", "d"],
             ["-boot", "order=c,menu=on"], ["-vga", "std"], ["-name", "guest"], ["-vnc", ":0"],
             ["-serial", "stdio"], ["-net", "nic"], ["-net", "user"], ["-monitor", "stdio"],
             ["-rtc", "base=localtime"], ["-cpu", "host"], ["-k", "de"], ["-display", "none"],
             ["-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0"], ["-parallel", "none"],
             ["-device", "virtio-rng-pci"], ["-device", "virtio-balloon-pci"], ["-device", "AC97"],
             ["-uuid", "12345678-1234-1234-1234-123456789abc"], ["-device", "usb-tablet"],
             ["-device", "e1000"], ["-object", "iothread,id=io1"], ["-nic", "user,model=e1000"],
             ["-global", "kvm-pit.lost_tick_policy=delay"], ["-watchdog-action", "reset"]],
            self.r.randrange(4)), [])
        for i in range(self.pick([1, 1, 2, 2, 3])):
            style = self.r.randrange(5)
            if style == 0:
                words += [self.pick(["-hda", "-hdb", "-cdrom", "-fda", "-hdc"]), self.image("abcd"[i])[0]]
            elif style == 1:
                words += self.drive(["file=" + self.image("abcd"[i])[0], "if=" + self.pick(
                    ["virtio", "ide", "scsi", "sd", "none"])])
            elif style == 2:
                words += self.drive(self.file_keys("abcd"[i]) + ["if=virtio", self.random_key(
                    {k: KEYS[k] for k in ("cache", "aio", "discard", "detect-zeroes", "index")}, 0)])
            elif style == 3:
                words += self.drive(["id=disk%d" % i, "if=none"] + self.file_keys("abcd"[i]))
                words += ["-device", "virtio-blk-pci,drive=disk%d" % i]
            else:
                words += self.drive(self.file_keys("abcd"[i]) + (["media=cdrom"] if self.chance(30) else []))
        return words

    def line(self, kind):
        self.files = None
        words = getattr(self, kind)()
        return quoted(words), self.files


# ---- not at random ----

def every_key():
    """Every value of every key, on a usual drive, a virtio one and an empty one."""
    for pools in (KEYS, QCOW2_KEYS):
        for key in pools:
            for value in pools[key][0] + pools[key][1]:
                yield [X86, "-drive", "file=a.qcow2,format=qcow2,%s=%s" % (key, value)]
                yield [X86, "-drive", "if=virtio,file=a.img,format=raw,%s=%s" % (key, value)]
                if pools is KEYS:
                    yield [X86, "-drive", "if=ide,%s=%s" % (key, value)]
    for key in RAW_KEYS:
        for value in RAW_KEYS[key][0] + RAW_KEYS[key][1]:
            yield [X86, "-drive", "file=a.img,format=raw,%s=%s" % (key, value)]
    for fmt in FORMATS + ["foo", "file", "nbd"]:
        yield [X86, "-drive", "file=x.%s,format=%s" % (fmt, fmt)]
        yield [X86, "-drive", "file=x.%s" % fmt]


def every_machine(options):
    for arch, machines in MACHINES.items():
        for machine in machines:
            for option in options:
                yield ["qemu-system-" + arch] + (["-M", machine] if machine else []) + option


ENUMERATIONS = {
    "keys": every_key,
    "machines": lambda: every_machine([[], ["-drive", "file=sd.img,format=raw"], ["-cdrom", "c.iso"],
                                       ["-nodefaults"]]),
    "interfaces": lambda: every_machine(
        [["-drive", "if=%s,file=x.img,format=raw" % i] for i in INTERFACES] +
        [["-sd", "s.img"], ["-pflash", "p.img"], ["-mtdblock", "m.img"], ["-hda", "a.img", "-cdrom", "c.iso"],
         ["-drive", "if=none,id=d,file=a.img,format=raw", "-device", "virtio-blk,drive=d"],
         ["-drive", "if=scsi,index=1,file=a.img,format=raw", "-drive", "if=scsi,index=8,file=b.img,format=raw"],
         ["-drive", "if=sd,index=1,file=a.img,format=raw"], ["-drive", "if=pflash,unit=1,file=a.img,format=raw"],
         ["-drive", "if=mtd,unit=1,file=a.img,format=raw"], ["-fda", "f.img"], ["-hdd", "d.img"],
         ["-drive", "file=a.img,format=raw,index=5"]]),
}


def quoted(words):
    return " ".join(shlex.quote(w) if any(c in w for c in " \"'{}$\\?*~;&|<>()!#`") or not w else w
                    for w in words)


KINDS = {"one_key": 14, "some_keys": 10, "driver_keys": 6, "formats": 6, "throttles": 7, "addresses": 10,
         "shorthands": 6, "machine_empty": 4, "machine_drive": 9, "machine_short": 6, "defaults": 6,
         "device": 12, "blockdev": 9, "names": 9, "dotted": 6, "syntax": 8, "readconfig": 5, "locks": 2,
         "whole": 8}


def main():
    if sys.argv[1] == "all":
        for number, words in enumerate(ENUMERATIONS[sys.argv[2]](), 1):
            print("all-%s-%04d\t%s\t%s\t" % (sys.argv[2], number, quoted(words), sys.argv[2]))
        return
    seed, count, kinds = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or list(KINDS)
    maker, seen = Maker(seed), set()
    weights = [KINDS[k] for k in kinds]
    for tries in range(count * 20):
        kind = maker.r.choices(kinds, weights)[0]
        line, files = maker.line(kind)
        if (line, str(files)) in seen or "\t" in line or "\n" in line:
            continue
        seen.add((line, str(files)))
        print("g%d-%s-%04d\t%s\t%s\t%s" % (seed, kind, len(seen), line, kind,
                                          json.dumps(files) if files else ""))
        if len(seen) == count:
            return


if __name__ == "__main__":
    main()

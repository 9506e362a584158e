#include "core/boot-files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* An ISO 9660 image says so behind its first 16 sectors. */
enum { HEAD_SIZE = 33 * 1024 };

/* The beginning of a file; of one that is packed with gzip, of what is in it. */
typedef struct Head {
    uint8_t bytes[HEAD_SIZE];
    size_t length;
} Head;

/* ---- kinds of file ---- */

typedef struct FileKind {
    uint32_t offset;
    const char *magic; /* as long as its string: no zero bytes in it */
    unsigned roles;    /* BootRole: what it may be used as */
    const char *what;
    const char *remedy;
} FileKind;

#define UNPACK(how) "unpack it: `" how "`"
#define ON_A_DRIVE "disks belong under `drives`: `lathe explain drives` says how"
#define TAKE_OUT(how) "take the kernel out of it: `" how "`"
#define PROGRAM "name a kernel: a Linux Image, an ELF file, or machine code as it is"
#define OTHER_CPU "it runs on another kind of CPU; boards for it: `lathe list boards`"

/* The first that fits. Of what is packed a board's firmware can unpack nothing, a kernel its initrd. */
static const FileKind kinds[] = {
    { 0, "\177ELF", BOOT_CODE, "an ELF program", "it belongs in `boot.kernel` or `boot.firmware`" },
    { 56, "ARM\x64", BOOT_CODE, "a kernel", "it belongs in `boot.kernel`" },
    { 56, "RSC\x05", BOOT_CODE, "a kernel", "it belongs in `boot.kernel`" },
    { 4, "zimg", BOOT_CODE, "a kernel", "it belongs in `boot.kernel`" },
    { 0x202, "HdrS", 0, "a kernel for x86", OTHER_CPU },
    { 36, "\x18\x28\x6f\x01", 0, "a kernel for 32-bit ARM", OTHER_CPU },
    { 0, "MZ", 0, "an EFI program", "put it on a disk, and name UEFI firmware in `boot.firmware`" },
    { 0, "\xd0\x0d\xfe\xed", BOOT_TREE, "a device tree, or an image of U-Boot's (FIT)",
        "a tree belongs in `boot.fdt`; `dumpimage -T flat_dt -p 0 -o Image FIT` takes a kernel "
        "out" },
    { 0, "\x27\x05\x19\x56", 0, "an image of U-Boot's (uImage)",
        TAKE_OUT("dumpimage -p 0 -o Image UIMAGE") },
    { 0, "ANDROID!", 0, "a boot image of Android", TAKE_OUT("unpack_bootimg --boot_img FILE") },

    { 0, "070701", BOOT_INITRD, "an initrd (cpio)", "it belongs in `boot.initrd`" },
    { 0, "070702", BOOT_INITRD, "an initrd (cpio)", "it belongs in `boot.initrd`" },
    { 0,
        "\xfd"
        "7zXZ",
        BOOT_INITRD, "a file packed with xz", UNPACK("xz -d") },
    { 0, "\x28\xb5\x2f\xfd", BOOT_INITRD, "a file packed with zstd", UNPACK("zstd -d") },
    { 0, "BZh", BOOT_INITRD, "a file packed with bzip2", UNPACK("bzip2 -d") },
    { 0, "\x02\x21\x4c\x18", BOOT_INITRD, "a file packed with lz4", UNPACK("lz4 -d") },
    { 0, "\x04\x22\x4d\x18", BOOT_INITRD, "a file packed with lz4", UNPACK("lz4 -d") },
    { 0, "\x89LZO", BOOT_INITRD, "a file packed with lzop", UNPACK("lzop -d") },

    { 0, "!<arch>\ndebian", 0, "a package of Debian's (.deb)",
        TAKE_OUT("dpkg-deb -x FILE DIR") " finds it in DIR/boot" },
    { 0, "\xed\xab\xee\xdb", 0, "an RPM package", TAKE_OUT("rpm2cpio FILE | cpio -id") },
    { 0, "!<arch>\n", 0, "an archive (ar)", TAKE_OUT("ar x FILE") },
    { 0, "PK\x03\x04", 0, "an archive (zip)", TAKE_OUT("unzip FILE") },
    { 257, "ustar", 0, "an archive (tar)", TAKE_OUT("tar xf FILE") },

    { 0, "QFI\xfb", 0, "a disk image (qcow2)", ON_A_DRIVE },
    { 0, "KDMV", 0, "a disk image (vmdk)", ON_A_DRIVE },
    { 0, "vhdxfile", 0, "a disk image (vhdx)", ON_A_DRIVE },
    { 0, "conectix", 0, "a disk image (vpc)", ON_A_DRIVE },
    { 512, "EFI PART", 0, "a disk image with partitions", ON_A_DRIVE },
    { 82, "FAT32", 0, "a file system (FAT)", ON_A_DRIVE },
    { 54, "FAT1", 0, "a file system (FAT)", ON_A_DRIVE },
    { 0, "hsqs", BOOT_INITRD, "a file system (squashfs)", ON_A_DRIVE },
    { 32769, "CD001", 0, "an image of a CD (ISO 9660)", ON_A_DRIVE },

    { 0, "#!", 0, "a script", PROGRAM },
    { 0, "<!DOCTYPE", 0, "a page of HTML",
        "its download was answered with a page: fetch it again" },
    { 0, "<!doctype", 0, "a page of HTML",
        "its download was answered with a page: fetch it again" },
    { 0, "<html", 0, "a page of HTML", "its download was answered with a page: fetch it again" },
    { 0, "version https://git-lfs", 0, "a pointer of git-lfs", "`git lfs pull` fetches the file" },
    { 0, "lathe: machine", 0, "a machine of lathe's", "name the file that its CPUs are to run" },
    { 0, "/dts-v1/", 0, "the source of a device tree",
        "compile it: `dtc -O dtb -o FILE.dtb FILE.dts`" },
};

static const FileKind empty = { .remedy = "was it copied or downloaded to its end?" };
static const FileKind folder = { .what = "a folder", .remedy = "name a file in it" };
static const FileKind special = { .what = "a pipe or a device", .remedy = "copy it to a file" };
static const FileKind yaml = { .what = "a text in YAML", .remedy = PROGRAM };
static const FileKind text = { .what = "a text", .remedy = PROGRAM };
/* Of RISC-V (Unprivileged ISA, 1.5) and arm64 (UDF #0) alike. */
static const FileKind zeroes = {
    .what = "a file that begins with zeroes, which are no instruction",
    .remedy = ON_A_DRIVE,
};

/* ---- telling them apart ---- */

static bool has_magic(const Head *head, const FileKind *kind)
{
    size_t length = strlen(kind->magic);

    return kind->offset + length <= head->length &&
        memcmp(head->bytes + kind->offset, kind->magic, length) == 0;
}

/* Machine code has zeroes or control characters in its first instructions. */
static bool is_text(const Head *head)
{
    for (size_t i = 0; i < head->length; i++) {
        uint8_t byte = head->bytes[i];

        if ((byte < ' ' && !strchr("\t\n\r\f", byte)) || byte == 0 || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool begins_with_zeroes(const Head *head)
{
    static const uint8_t none[4];

    return head->length >= sizeof(none) && memcmp(head->bytes, none, sizeof(none)) == 0;
}

/* NULL: it may be code. */
static const FileKind *kind_of_bytes(const Head *head, const char *path)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (has_magic(head, &kinds[i])) {
            return &kinds[i];
        }
    }
    if (is_text(head)) {
        return g_str_has_suffix(path, ".yaml") || g_str_has_suffix(path, ".yml") ? &yaml : &text;
    }
    return begins_with_zeroes(head) ? &zeroes : NULL;
}

/* ---- reading ---- */

static bool is_packed(const Head *head)
{
    return head->length > 2 && head->bytes[0] == 0x1f && head->bytes[1] == 0x8b;
}

/* What gzip unpacks of its first bytes. False: nothing; damage is found when all of it is. */
static bool unpack_head(Head *head)
{
    g_autofree Head *packed = g_memdup2(head, sizeof(*head));
    z_stream stream = {
        .next_in = packed->bytes,
        .avail_in = packed->length,
        .next_out = head->bytes,
        .avail_out = HEAD_SIZE,
    };
    int status = inflateInit2(&stream, 16 + MAX_WBITS);

    if (status == Z_OK) {
        status = inflate(&stream, Z_SYNC_FLUSH);
        head->length = HEAD_SIZE - stream.avail_out;
        inflateEnd(&stream);
    }
    return status == Z_OK || status == Z_STREAM_END;
}

static const char *const wanted[] = {
    [BOOT_CODE] = "a program",
    [BOOT_INITRD] = "an initrd",
    [BOOT_TREE] = "a device tree",
};

/* NULL: it may be code, or cannot be read, which whoever loads it says. */
static const FileKind *kind_of(const char *path)
{
    g_autofree Head *head = g_new(Head, 1);
    struct stat info;
    ssize_t got = -1;
    int fd = -1;

    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        return S_ISDIR(info.st_mode) ? &folder : &special;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, head->bytes, HEAD_SIZE);
        close(fd);
    }
    if (got <= 0) {
        return got == 0 ? &empty : NULL;
    }
    head->length = got;
    if (is_packed(head) && !unpack_head(head)) {
        return NULL;
    }
    return head->length > 0 ? kind_of_bytes(head, path) : &empty;
}

bool boot_file_check(const SpecText *file, BootRole role, Diag *diag)
{
    const FileKind *kind = file->text ? kind_of(file->text) : NULL;

    /* An initrd may begin with zeroes: as a file system, or where its first part is left out. */
    if (!kind || (kind->roles & role) || (role == BOOT_INITRD && kind == &zeroes)) {
        return true;
    }
    if (kind == &empty) {
        diag_error(diag, DIAG_TRUNCATED, file->mark, "`%s` is empty", file->text);
    } else {
        diag_error(diag, DIAG_BAD_IMAGE, file->mark, "`%s` is %s, not %s", file->text, kind->what,
            wanted[role]);
    }
    diag_hint(diag, "%s", kind->remedy);
    return false;
}

/* ---- opening ---- */

static DiagCode code_of(const GError *error)
{
    static const DiagCode codes[] = {
        [IMAGE_ERROR_TRUNCATED] = DIAG_TRUNCATED,
        [IMAGE_ERROR_BAD] = DIAG_BAD_IMAGE,
        [IMAGE_ERROR_NO_ROOM] = DIAG_TOO_BIG,
    };

    if (error->domain == IMAGE_ERROR) {
        return codes[error->code];
    }
    return error->code == G_FILE_ERROR_NOENT                                    ? DIAG_FILE_MISSING
        : error->code == G_FILE_ERROR_ACCES || error->code == G_FILE_ERROR_PERM ? DIAG_NO_PERMISSION
                                                                                : DIAG_HOST;
}

static const char *remedy(DiagCode code)
{
    switch (code) {
    case DIAG_TRUNCATED: return "was it copied or downloaded to its end?";
    case DIAG_FILE_MISSING: return "paths begin at the folder of the file that names them";
    case DIAG_NO_PERMISSION: return "make it readable for this user";
    default: return NULL;
    }
}

bool boot_file_error(Mark mark, const GError *error, Diag *diag)
{
    DiagCode code = code_of(error);

    diag_error(diag, code, mark, "%s", error->message);
    if (remedy(code)) {
        diag_hint(diag, "%s", remedy(code));
    }
    return false;
}

static bool right_arch(const Image *image, Mark mark, const char *arch, Diag *diag)
{
    /* A RISC-V Image does not say how wide it is. */
    if (!image->arch || g_str_equal(image->arch, arch) ||
        (g_str_equal(image->arch, "riscv") && g_str_has_prefix(arch, "riscv"))) {
        return true;
    }
    diag_error(diag, DIAG_WRONG_ARCH, mark, "`%s` is for %s, and the board is %s", image->path,
        image->arch, arch);
    diag_hint(diag, "build it for %s, or take a board of its kind: `lathe list boards`", arch);
    return false;
}

Image *boot_file_open(const SpecText *file, BootRole role, const char *arch, Diag *diag)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Image) image = NULL;

    if (!boot_file_check(file, role, diag)) {
        return NULL;
    }
    image = role == BOOT_INITRD ? image_open_raw(file->text, &error)
                                : image_open(file->text, &error);
    if (!image) {
        boot_file_error(file->mark, error, diag);
        return NULL;
    }
    return right_arch(image, file->mark, arch, diag) ? g_steal_pointer(&image) : NULL;
}

static bool check_code(const SpecText *file, const char *arch, Diag *diag)
{
    g_autoptr(Image) image = file->text ? boot_file_open(file, BOOT_CODE, arch, diag) : NULL;

    return image || !file->text;
}

bool boot_files_check(const MachineSpec *spec, Diag *diag)
{
    const BootSpec *boot = &spec->boot;
    bool fine = check_code(&boot->firmware, spec->arch, diag);

    fine &= check_code(&boot->kernel, spec->arch, diag);
    fine &= boot_file_check(&boot->initrd, BOOT_INITRD, diag);
    fine &= boot_file_check(&boot->fdt, BOOT_TREE, diag);
    fine &= boot_file_check(&boot->fdt_overlay, BOOT_TREE, diag);
    return fine;
}

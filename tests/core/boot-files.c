#include "tests/test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

#include "core/boot-files.h"

/* A file that begins with `length` bytes, at an offset; the rest of it is 0x55. */
typedef struct Case {
    const char *bytes;
    unsigned length, offset;
    BootRole role;
    const char *said, *remedy; /* said NULL: it is taken */
} Case;

#define AT(offset, bytes) bytes, sizeof(bytes) - 1, offset
#define HEAD(bytes) AT(0, bytes)

static const Case cases[] = {
    { HEAD("\x6f\0\0\0"), BOOT_CODE },
    { HEAD("\177ELF\2\1\1"), BOOT_CODE },
    { AT(56, "ARM\x64"), BOOT_CODE },
    { AT(56, "RSC\x05"), BOOT_CODE },
    { HEAD("070701"), BOOT_INITRD },
    { HEAD("\xfd"
           "7zXZ\0"),
        BOOT_INITRD },
    { HEAD("\0\0\0\0"), BOOT_INITRD },
    { HEAD("\xd0\x0d\xfe\xed"), BOOT_TREE },

    { HEAD("\0\0\0\0"), BOOT_CODE, "begins with zeroes", "`drives`" },
    { HEAD("\xfd"
           "7zXZ\0"),
        BOOT_CODE, "a file packed with xz, not a program", "`xz -d`" },
    { HEAD("\x28\xb5\x2f\xfd"), BOOT_CODE, "packed with zstd", "`zstd -d`" },
    { HEAD("BZh91AY"), BOOT_CODE, "packed with bzip2", "`bzip2 -d`" },
    { HEAD("\x04\x22\x4d\x18"), BOOT_CODE, "packed with lz4", "`lz4 -d`" },
    { HEAD("\x02\x21\x4c\x18"), BOOT_CODE, "packed with lz4", "`lz4 -d`" },
    { HEAD("\x89LZO\0\r\n"), BOOT_CODE, "packed with lzop", "`lzop -d`" },
    { HEAD("070701"), BOOT_CODE, "an initrd (cpio), not a program", "`boot.initrd`" },
    { HEAD("!<arch>\ndebian-binary"), BOOT_CODE, "a package of Debian's (.deb)", "`dpkg-deb -x" },
    { HEAD("\xed\xab\xee\xdb"), BOOT_CODE, "an RPM package", "rpm2cpio" },
    { HEAD("PK\x03\x04"), BOOT_CODE, "an archive (zip)", "unzip" },
    { AT(257, "ustar"), BOOT_CODE, "an archive (tar)", "tar xf" },
    { HEAD("\x27\x05\x19\x56"), BOOT_CODE, "uImage", "dumpimage" },
    { HEAD("\xd0\x0d\xfe\xed"), BOOT_CODE, "a device tree", "`boot.fdt`" },
    { AT(0x202, "HdrS"), BOOT_CODE, "a kernel for x86", "list boards" },
    { AT(36, "\x18\x28\x6f\x01"), BOOT_CODE, "32-bit ARM", "list boards" },
    { HEAD("MZ\x90\0"), BOOT_CODE, "an EFI program", "`boot.firmware`" },
    { HEAD("QFI\xfb"), BOOT_CODE, "a disk image (qcow2)", "`drives`" },
    { AT(512, "EFI PART"), BOOT_CODE, "a disk image with partitions", "`drives`" },
    { AT(32769, "CD001"), BOOT_CODE, "an image of a CD", "`drives`" },
    { HEAD("ANDROID!"), BOOT_CODE, "Android", "unpack_bootimg" },
    { HEAD("\177ELF\2\1\1"), BOOT_INITRD, "an ELF program, not an initrd", "`boot.kernel`" },
    { AT(56, "ARM\x64"), BOOT_INITRD, "a kernel, not an initrd", "`boot.kernel`" },
    { HEAD("070701"), BOOT_TREE, "not a device tree", "`boot.initrd`" },
};

static void look(
    const void *data, size_t length, const char *name, BootRole role, const Case *wanted)
{
    g_autoptr(Diag) diag = diag_new();
    g_autofree char *folder = g_dir_make_tmp("lathe-boot-files-XXXXXX", NULL), *said = NULL;
    g_autofree char *path = g_build_filename(folder, name, NULL);

    assert_true(g_file_set_contents(path, data, (gssize)length, NULL));
    assert_int_equal(boot_file_check(&(SpecText){ path, NO_MARK }, role, diag), !wanted->said);
    said = diag_to_string(diag, DIAG_PLAIN);
    if (wanted->said && (!strstr(said, wanted->said) || !strstr(said, wanted->remedy))) {
        fail_msg("wanted '%s' and '%s' in: %s", wanted->said, wanted->remedy, said);
    }
    g_unlink(path);
    g_rmdir(folder);
}

static void a_file_is_what_its_first_bytes_say(void **state)
{
    uint8_t bytes[34 * 1024];

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        memset(bytes, 0x55, sizeof(bytes));
        bytes[sizeof(bytes) - 1] = bytes[100] = 1; /* no text */
        memcpy(bytes + cases[i].offset, cases[i].bytes, cases[i].length);
        look(bytes, sizeof(bytes), "file", cases[i].role, &cases[i]);
    }
}

static void a_text_is_no_code(void **state)
{
    static const struct {
        const char *text, *name;
        Case wanted;
    } texts[] = {
        { "a: b\n", "m.yaml",
            { .said = "a text in YAML, not a program", .remedy = "a Linux Image" } },
        { "lathe: machine/v1\n", "m", { .said = "a machine of lathe's", .remedy = "CPUs" } },
        { "#!/bin/sh\n", "run", { .said = "a script", .remedy = "a Linux Image" } },
        { "gr\xc3\xbc\xc3\x9f\n", "readme", { .said = "a text, not", .remedy = "a Linux Image" } },
        { "<!DOCTYPE html>\n", "Image", { .said = "a page of HTML", .remedy = "fetch it again" } },
        { "version https://git-lfs.example.org\n", "Image",
            { .said = "git-lfs", .remedy = "git lfs pull" } },
        { "/dts-v1/;\n", "board.dts",
            { .said = "source of a device tree", .remedy = "`dtc -O dtb" } },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        look(texts[i].text, strlen(texts[i].text), texts[i].name, BOOT_CODE, &texts[i].wanted);
    }
}

static void an_empty_file_is_named_so(void **state)
{
    look("", 0, "Image", BOOT_CODE, &(Case){ .said = "is empty", .remedy = "to its end" });
    look("", 0, "initrd", BOOT_INITRD, &(Case){ .said = "is empty", .remedy = "to its end" });
}

static void what_gzip_packs_is_looked_into(void **state)
{
    static const char cpio[] = "070701 and so on";
    uint8_t packed[256];
    z_stream stream = { 0 };

    assert_int_equal(
        deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (uint8_t *)cpio;
    stream.avail_in = sizeof(cpio);
    stream.next_out = packed;
    stream.avail_out = sizeof(packed);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    look(packed, stream.total_out, "Image.gz", BOOT_CODE,
        &(Case){ .said = "an initrd (cpio), not a program", .remedy = "`boot.initrd`" });
    look(packed, stream.total_out, "initrd.gz", BOOT_INITRD, &(Case){ 0 });
}

static void a_folder_and_a_device_are_no_files(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autofree char *said = NULL;

    assert_false(boot_file_check(&(SpecText){ "/tmp", NO_MARK }, BOOT_CODE, diag));
    assert_false(boot_file_check(&(SpecText){ "/dev/null", NO_MARK }, BOOT_INITRD, diag));
    said = diag_to_string(diag, DIAG_PLAIN);
    assert_non_null(strstr(said, "`/tmp` is a folder, not a program"));
    assert_non_null(strstr(said, "`/dev/null` is a pipe or a device, not an initrd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_what_its_first_bytes_say),
        cmocka_unit_test(a_text_is_no_code),
        cmocka_unit_test(an_empty_file_is_named_so),
        cmocka_unit_test(what_gzip_packs_is_looked_into),
        cmocka_unit_test(a_folder_and_a_device_are_no_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

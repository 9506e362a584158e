/* The host's files, as far as a command line needs to know them. */
#include <string.h>
#include <sys/stat.h>

#include "config/legacy/legacy.h"

/* What images begin with, as their specifications say. */
static const struct {
    const char *format;
    unsigned at, length;
    const char *magic;
} magics[] = {
    { "qcow2", 0, 8, "QFI\xfb\0\0\0\2" },
    { "qcow2", 0, 8, "QFI\xfb\0\0\0\3" },
    { "qcow", 0, 8, "QFI\xfb\0\0\0\1" },
    { "qed", 0, 4, "QED\0" },
    { "vmdk", 0, 4, "KDMV" },
    { "vmdk", 0, 4, "COWD" },
    { "vmdk", 0, 21, "# Disk DescriptorFile" },
    { "vdi", 64, 4, "\x7f\x10\xda\xbe" },
    { "vhdx", 0, 8, "vhdxfile" },
    { "vpc", 0, 8, "conectix" },
    { "parallels", 0, 16, "WithoutFreeSpace" },
    { "parallels", 0, 16, "WithouFreSpacExt" },
    { "luks", 0, 6, "LUKS\xba\xbe" },
};

/* Sizes of disks in big-endian headers: qcow and qcow2 keep it at byte 24. */
static uint64_t size_in_header(const char *format, const unsigned char *head, uint64_t length)
{
    uint64_t size = 0;

    if (strcmp(format, "raw") == 0) {
        return length;
    }
    for (unsigned i = 24; i < 32 && (strcmp(format, "qcow2") == 0); i++) {
        size = size << 8 | head[i];
    }
    return size;
}

static void probe(const char *path, uint64_t length, FileFacts *facts)
{
    unsigned char head[128] = { 0 };
    FILE *file = fopen(path, "rbe");
    size_t read = file ? fread(head, 1, sizeof(head), file) : 0;

    if (file) {
        fclose(file);
    }
    facts->format = "raw";
    for (unsigned i = 0; i < G_N_ELEMENTS(magics); i++) {
        if (read >= magics[i].at + magics[i].length &&
            memcmp(head + magics[i].at, magics[i].magic, magics[i].length) == 0) {
            facts->format = magics[i].format;
        }
    }
    facts->size = size_in_header(facts->format, head, length);
    if (strcmp(facts->format, "qcow2") == 0) {
        facts->header = true;
        facts->encrypted = head[35] != 0;                  /* crypt_method */
        facts->data_file = head[7] == 3 && (head[79] & 4); /* incompatible_features, bit 2 */
    }
}

static bool look(void *data, const char *path, FileFacts *facts)
{
    struct stat status;

    *facts = (FileFacts){ 0 };
    if (stat(path, &status) < 0) {
        return data != NULL;
    }
    facts->kind = S_ISDIR(status.st_mode) ? FILE_FOLDER
        : S_ISCHR(status.st_mode)         ? FILE_CHARACTER
        : S_ISBLK(status.st_mode)         ? FILE_BLOCK
                                          : FILE_REGULAR;
    if (facts->kind == FILE_REGULAR) {
        probe(path, status.st_size, facts);
    }
    return true;
}

static char *read_text(void *data, const char *path, GError **error)
{
    char *text = NULL;
    struct stat status;

    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "`%s` is not a file", path);
        return NULL;
    }
    return g_file_get_contents(path, &text, NULL, error) ? text : NULL;
}

const LegacyFiles legacy_host_files = { look, read_text, NULL };
const LegacyFiles legacy_host_files_strict = { look, read_text, "strict" };

const char *legacy_format_by_name(const char *path)
{
    static const char *const endings[][2] = { { "qcow2", "qcow2" }, { "qcow", "qcow" },
        { "vmdk", "vmdk" }, { "vdi", "vdi" }, { "vhd", "vpc" }, { "vpc", "vpc" },
        { "vhdx", "vhdx" }, { "qed", "qed" }, { "hdd", "parallels" } };
    const char *dot = strrchr(path, '.');

    for (unsigned i = 0; dot && !strchr(dot, '/') && i < G_N_ELEMENTS(endings); i++) {
        if (g_ascii_strcasecmp(dot + 1, endings[i][0]) == 0) {
            return endings[i][1];
        }
    }
    return "raw";
}

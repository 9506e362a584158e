/* What a file name is taken for (DRIVE.md, 5.3). */
#include "config/legacy/nodes-impl.h"

#include <string.h>

/* The part before a `:` that stands before any `/`; 0: none. */
static size_t protocol_length(const char *name)
{
    size_t length = strcspn(name, ":/");

    return name[length] == ':' ? length : 0;
}

static bool is_device_file(const Legacy *legacy, const char *name, FileKind *kind)
{
    FileFacts facts = { 0 };

    if (legacy->files.look(legacy->files.data, name, &facts) &&
        (facts.kind == FILE_CHARACTER || facts.kind == FILE_BLOCK)) {
        *kind = facts.kind;
        return true;
    }
    return g_str_has_prefix(name, "/dev/cdrom");
}

/* In 2011 there were fewer, two that are gone, and `file:` stayed a part of the name. */
static const ImageDriver *driver_in_2011(
    Opener *o, const char *protocol, const ImageDriver *driver, Span at)
{
    static const char *const known[] = { "fat", "nbd", "http", "https", "ftp", "ftps", "rbd",
        "blkdebug", "blkverify", "host_device", "host_cdrom", NULL };
    static const char *const gone[] = { "tftp", "sheepdog", NULL };

    if (g_strv_contains(known, protocol)) {
        return driver;
    }
    legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at,
        g_strv_contains(gone, protocol) ? "`%s` images are gone from QEMU, and lathe has none"
            : strcmp(protocol, "file") == 0
            ? "in 2011, `%s:` was taken for a part of the file's name"
            : "`%s` was no protocol in 2011",
        protocol);
    return NULL;
}

/* The driver that QEMU takes for a name, and the name without a `file:` in front. */
const ImageDriver *name_driver(Opener *o, const char **name, Span at)
{
    size_t length = protocol_length(*name);
    g_autofree char *protocol = g_strndup(*name, length);
    FileKind kind;
    const ImageDriver *driver;

    if (is_device_file(o->legacy, *name, &kind)) {
        return driver_find("host_device");
    }
    if (length == 0) {
        return driver_find("file");
    }
    driver = driver_by_protocol(protocol);
    if (o->legacy->as == AS_2011) {
        return driver_in_2011(o, protocol, driver, at);
    }
    if (!driver) {
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at, "`%s` is not a protocol", protocol);
        diag_hint(o->legacy->diag, "a file name with a colon is written ./%s", *name);
        return NULL;
    }
    if (strcmp(protocol, "file") == 0) {
        *name += length + 1;
        if (protocol_length(*name) > 0) {
            *name = arena_printf(o->legacy->arena, "./%s", *name);
        }
    }
    return driver;
}

bool name_look(Opener *o, LegacyNode *node, const char *name, Span at)
{
    Legacy *l = o->legacy;

    node->file = name;
    node->known = l->files.look(l->files.data, name, &node->facts);
    if (!node->known) {
        return true;
    }
    if (node->facts.kind == FILE_ABSENT) {
        return legacy_refuse(l, DIAG_LEGACY_IMAGE, at, "`%s` is not there", name);
    }
    if (node->facts.kind == FILE_FOLDER) {
        return legacy_refuse(l, DIAG_LEGACY_IMAGE, at, "`%s` is a folder, not a file", name);
    }
    if (strcmp(node->driver, "host_device") == 0 && node->facts.kind == FILE_REGULAR &&
        !g_str_has_prefix(name, "/dev/")) {
        return legacy_refuse(l, DIAG_LEGACY_IMAGE, at,
            "`%s` is neither a character nor a block device, as host_device needs", name);
    }
    return true;
}

/* `fat:[12:|16:|32:][floppy:][rw:]DIR`: without rw, nobody can write. */
void name_take_fat(LegacyNode *node, const char *name)
{
    node->file = name;
    node->known = true;
    node->facts = (FileFacts){ .kind = FILE_REGULAR, .format = "raw" };
    node->never_writes = !strstr(name, ":rw:");
}

bool name_check_fat(Opener *o, const LegacyNode *node, bool writes, Span at)
{
    return !writes || !node->read_only ||
        legacy_refuse(o->legacy, DIAG_LEGACY_IMAGE, at,
            "a folder as vvfat cannot be written to (rw) in a read-only drive");
}

/* Protocols know their own names: `nbd:...`, `fat:...`; `null-co://` is all there is of it. */
bool name_is_for(const ImageDriver *driver, const char *name)
{
    g_autofree char *protocol = g_strndup(name, protocol_length(name));

    return driver_by_protocol(protocol) == driver &&
        (!g_str_has_prefix(driver->name, "null-") || strcmp(name, driver->url) == 0);
}

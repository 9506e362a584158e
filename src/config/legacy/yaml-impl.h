/*
 * The parts of the writer of machine files: yaml.c has the sections, yaml-board.c and others the longer ones, yaml-text.c
 * the lines and names.
 */
#ifndef CONFIG_LEGACY_YAML_IMPL_H
#define CONFIG_LEGACY_YAML_IMPL_H

#include "config/legacy/yaml.h"

typedef struct YamlWriter {
    Legacy *l;
    GString *out;
    unsigned said; /* notes that the reading of the options left */
    const char *name;
    const char *board;               /* "riscv-virt"; NULL: none */
    GPtrArray *drives, *drive_names; /* LegacyDrive and what it is called here */
    GHashTable *names;               /* of drives and networks that are taken */
    const char *folder;              /* that relative paths begin at; NULL: that of the file */
} YamlWriter;

/* ---- lines ---- */

/* A text as YAML writes it, and in which `${` names no parameter. Free it. */
char *yaml_scalar(const char *text);

/* `key: value` as it stands; value NULL: a map follows. */
void yaml_line(YamlWriter *w, unsigned depth, const char *key, const char *value);

/* `key: text`, quoted where it must be; nothing at all for NULL. */
void yaml_text(YamlWriter *w, unsigned depth, const char *key, const char *text);
void yaml_path(YamlWriter *w, unsigned depth, const char *key, const char *path);
void yaml_comment(YamlWriter *w, unsigned depth, const char *words);

/* Notes of a path: those from before, and those since note number `from`. */
void yaml_notes(YamlWriter *w, unsigned depth, const char *path, unsigned from);

/* ---- names ---- */

/* As lathe's schema wants them; an own one is nobody else's. */
const char *yaml_lower_name(YamlWriter *w, const char *wish);
const char *yaml_own_name(YamlWriter *w, const char *wish);

/* Whether lathe has that file: "machines", "riscv-virt", ".yaml". */
bool yaml_has_resource(const char *folder, const char *name, const char *ending);
bool yaml_has_device(const char *type);

/* ---- sections ---- */

void yaml_board(YamlWriter *w);

/* Whether one of the board's options tells that property of QEMU's machine. */
bool yaml_board_tells(const YamlWriter *w, const char *key);

void yaml_drives(YamlWriter *w);
void yaml_networks(YamlWriter *w);

/* What only QEMU has a word for: for the way back. */
void yaml_for_qemu(YamlWriter *w);

/* ---- of drives ---- */

/* A file or a device of the host. */
bool yaml_is_local(const LegacyNode *node);

/* A folder that is shown as a disk. */
bool yaml_is_folder(const LegacyNode *node);

/* What lathe opens by a URL; NULL: nothing of this kind. */
const char *yaml_url(Arena *arena, const LegacyNode *node);

/* "virtio.3", "flash.0": transports and flashes have a number in both worlds. NULL: no place. */
const char *yaml_slot(YamlWriter *w, const LegacyDrive *drive);

#endif

/*
 * Command lines of QEMU, whatever they say: taken apart, judged, and written as YAML that is right.
 *
 * folders: config config/legacy core
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/legacy/report.h"
#include "config/legacy/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool look_nowhere(void *data, const char *path, FileFacts *facts)
{
    memset(facts, 0, sizeof(*facts));
    return false;
}

/* `-readconfig NAME`: its own name, with `;` for line ends. */
static char *read_name(void *data, const char *path, GError **error)
{
    return g_strdelimit(g_strdup(path), ";", '\n');
}

static void judge(const Source *source, const GArray *words, LegacyAs as, Diag *diag)
{
    static const LegacyFiles files = { look_nowhere, read_name, NULL };
    g_autoptr(Legacy) l = legacy_new(source, as, &files, diag);
    bool accepted = legacy_read(l, words);
    g_autofree char *yaml = accepted ? legacy_to_yaml(l, "m", NULL) : NULL;
    g_autofree char *json = legacy_report_json(l, accepted, yaml, true);

    g_assert(*json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Source) source = source_from_text("line", (const char *)data, size, diag);
    g_autoptr(GHashTable)
        variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) commands = NULL;

    if (!source || size == 0) {
        return 0;
    }
    commands = words_commands(source, data[0] & 1, variables, arena, diag);
    for (unsigned i = 0; i < commands->len && i < 4; i++) {
        judge(source, commands->pdata[i], data[size - 1] & 1, diag);
    }
    return 0;
}

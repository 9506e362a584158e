/*
 * Build tool: mkpacked IN.yaml OUT. A schema or board that is not YAML ends the build here.
 */
#include <stdio.h>

#include "config/events.h"
#include "config/packed.h"

int main(int argc, char **argv)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Source) source = argc == 3 ? source_read(argv[1], diag, NO_MARK) : NULL;
    const Node *root = source ? events_parse(source, arena, diag) : NULL;
    g_autoptr(GByteArray) packed = NULL;
    g_autoptr(GError) error = NULL;

    if (!root || diag_errors(diag)) {
        diag_print(diag, stderr, DIAG_PLAIN);
        return 1;
    }
    packed = packed_write(root);
    if (!g_file_set_contents(argv[2], (const char *)packed->data, packed->len, &error)) {
        fprintf(stderr, "mkpacked: %s\n", error->message);
        return 1;
    }
    return 0;
}

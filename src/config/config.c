/* The loader's entries: each stage is a line of load(). */
#include "config/config.h"

#include "config/loader.h"

static MachineSpec *load(Loader *l, const Source *source)
{
    if (!loader_read_machine(l, source) ||
        !loader_validate(l, l->machine, "schemas/machine.v1.yaml") ||
        !loader_read_machine_board(l)) {
        return NULL;
    }
    return loader_finish(l, source->name);
}

/* The name of a board stands for no machine, though many would try it. */
static void hint_board(const Loader *l, const char *file)
{
    g_autofree char *board = g_strdup_printf("machines/%s.yaml", file);

    if (library_has(l->library, board)) {
        diag_hint(l->diag, "it is a board: `lathe new --board %s` makes a machine of it", file);
    }
}

MachineSpec *config_load(const char *file, const ConfigOptions *options, Diag *diag)
{
    g_autoptr(Source) source = source_read(file, diag, NO_MARK);
    g_auto(Loader) loader;

    loader_init(&loader, options, diag);
    if (source) {
        loader_read_lock(&loader, file);
    } else {
        hint_board(&loader, file);
    }
    return source ? load(&loader, source) : NULL;
}

MachineSpec *config_load_text(
    const char *name, const char *text, gssize length, const ConfigOptions *options, Diag *diag)
{
    g_autoptr(Source) source = source_from_text(name, text, length, diag);
    g_auto(Loader) loader;

    loader_init(&loader, options, diag);
    return load(&loader, source);
}

MachineSpec *config_load_board(const char *name, const ConfigOptions *options, Diag *diag)
{
    g_auto(Loader) loader;

    loader_init(&loader, options, diag);
    return loader_read_board(&loader, name) ? loader_finish(&loader, name) : NULL;
}

/* qemu-system(1) of 7.2: what a property names must have been made by another option. */
#include "config/legacy/links.h"

#include <stdio.h>
#include <string.h>

#include "config/legacy/options.h"

/* Properties of devices and machines that are names, and the option that makes what they name. */
static const struct {
    const char *property, *maker;
} rows[] = {
    { "chardev", "chardev" },
    { "cryptodev", "object" },
    { "iothread", "object" },
    { "memdev", "object" },
    { "memory-backend", "object" },
    { "rng", "object" },
};

static bool is_made(Legacy *l, const char *maker, const char *id)
{
    const GPtrArray *list = group_list(l, maker);
    unsigned number;
    int end = 0;

    for (unsigned i = 0; i < list->len; i++) {
        const Opt *own = opts_find(g_ptr_array_index(list, i), "id");

        if (own && strcmp(own->value, id) == 0) {
            return true;
        }
    }
    /* -serial makes character devices of its own. */
    return strcmp(maker, "chardev") == 0 && sscanf(id, "serial%u%n", &number, &end) == 1 &&
        id[end] == '\0' && number < MAX(l->serials->len, 1);
}

static bool refuse(Legacy *l, const char *maker, const char *id, Span at)
{
    return legacy_refuse(l, DIAG_LEGACY_NAME, at, "there is no -%s with the id `%s`", maker, id);
}

static bool check_all(Legacy *l, const Opts *opts)
{
    for (unsigned i = 0; i < opts->count; i++) {
        const Opt *opt = &opts->items[i];

        for (unsigned j = 0; j < G_N_ELEMENTS(rows); j++) {
            if (strcmp(opt->key, rows[j].property) == 0 && *opt->value &&
                !is_made(l, rows[j].maker, opt->value)) {
                return refuse(l, rows[j].maker, opt->value, opt->value_at);
            }
        }
    }
    return true;
}

/* -serial, -parallel and -monitor take `chardev:NAME`. */
static bool check_port(Legacy *l, const LegacySaid *said)
{
    const char *option = said->word + strspn(said->word, "-");
    const char *name;

    if (!said->argument || !opt_is_among("serial parallel monitor", option) ||
        !g_str_has_prefix(said->argument, "chardev:")) {
        return true;
    }
    name = said->argument + strlen("chardev:");
    return is_made(l, "chardev", name) || refuse(l, "chardev", name, said->at);
}

bool links_check(Legacy *l)
{
    if (l->as == AS_2011) {
        return true;
    }
    for (unsigned i = 0; i < l->devices->len; i++) {
        if (!check_all(l, g_ptr_array_index(l->devices, i))) {
            return false;
        }
    }
    for (unsigned i = 0; i < l->said->len; i++) {
        if (!check_port(l, &g_array_index(l->said, LegacySaid, i))) {
            return false;
        }
    }
    return check_all(l, l->machine_merged);
}

/* The keys of a node: those behind its prefix, their values and their types. */
#include "config/legacy/nodes-impl.h"

#include <string.h>

const char *opener_key(Opener *o, const char *prefix, const char *key)
{
    return *prefix ? arena_printf(o->legacy->arena, "%s%s", prefix, key) : key;
}

Opt *opener_get(Opener *o, const char *prefix, const char *key)
{
    return opts_get(o->keys, opener_key(o, prefix, key));
}

bool opener_has_below(const Opener *o, const char *prefix)
{
    for (unsigned i = 0; i < o->keys->count; i++) {
        if (g_str_has_prefix(o->keys->items[i].key, prefix)) {
            return true;
        }
    }
    return false;
}

bool opener_refuse(Opener *o, const Opt *opt, const char *what)
{
    return legacy_refuse(o->legacy, DIAG_LEGACY_VALUE, opt->value_at, "`%s` of `%s` is not %s",
        opt->value, opt->key, what);
}

/* A text has another type than a number in JSON; -blockdev takes no suffix either. */
static bool check_strict_type(Opener *o, const Opt *opt, char type)
{
    bool wanted_bool = type == 'b', wanted_number = type == 'n' || type == 'z';
    uint64_t number;
    bool flag;

    if (o->keys->json) {
        if ((wanted_bool && opt->type != OPT_BOOL) || (wanted_number && opt->type != OPT_NUMBER) ||
            (type == 's' && opt->type != OPT_TEXT)) {
            return opener_refuse(o, opt,
                wanted_bool         ? "true or false"
                    : wanted_number ? "a number"
                                    : "a text");
        }
        return true;
    }
    if (wanted_bool && !opt_bool(opt->value, &flag)) {
        return opener_refuse(o, opt, "on or off");
    }
    if (wanted_number && !opt_number(opt->value, &number)) {
        return opener_refuse(o, opt, "an integer (-blockdev takes no suffix)");
    }
    return true;
}

bool nodes_bool(Legacy *legacy, Opts *keys, const char *key, bool *value)
{
    const Opt *opt = opts_get(keys, key);

    if (opt && !opt_bool(opt->value, value)) {
        return legacy_refuse(legacy, DIAG_LEGACY_VALUE, opt->value_at,
            "`%s` of `%s` is neither on nor off", opt->value, opt->key);
    }
    return true;
}

bool opener_bool(Opener *o, const char *prefix, const char *key, bool *value)
{
    const Opt *opt = opener_get(o, prefix, key);

    return (!o->strict || !opt || check_strict_type(o, opt, 'b')) &&
        nodes_bool(o->legacy, o->keys, opener_key(o, prefix, key), value);
}

bool opener_check_value(Opener *o, const Opt *opt, char type)
{
    uint64_t number;
    bool flag;

    if (o->strict) {
        return check_strict_type(o, opt, type);
    }
    if (type == 'b' && !opt_bool(opt->value, &flag)) {
        return opener_refuse(o, opt, "on or off");
    }
    if (type == 'n' && !opt_number(opt->value, &number)) {
        return opener_refuse(o, opt, "a number");
    }
    if (type == 'z' && !opt_size(opt->value, &number)) {
        return opener_refuse(o, opt, "a size below 2^64");
    }
    return true;
}

/* Every key of this node that its driver knows, and no other. */
bool opener_check_keys(Opener *o, const char *prefix, const ImageDriver *driver)
{
    size_t length = strlen(prefix);
    bool good = true;

    for (unsigned i = 0; i < o->keys->count; i++) {
        Opt *opt = &o->keys->items[i];
        const char *rest = opt->key + length;
        char type;

        if (opt->used || strncmp(opt->key, prefix, length) != 0) {
            continue;
        }
        type = driver_key_type(driver, rest, o->strict);
        opt->used = true;
        if (!type) {
            good = legacy_refuse(o->legacy, DIAG_LEGACY_VALUE, opt->key_at,
                o->strict ? "`%s` is unexpected here: `%s` has no such key"
                          : "`%s` is no option of the block driver `%s`",
                rest, driver->name);
        } else if (!opener_check_value(o, opt, type)) {
            good = false;
        }
    }
    return good;
}

/* An -object that a key names: of type `type`, or of one that begins with it. */
bool opener_check_object(Opener *o, const Opt *opt, const char *type)
{
    const GPtrArray *objects = o->legacy->objects;

    for (unsigned i = 0; opt && i < objects->len; i++) {
        const Opt *own = opts_find(g_ptr_array_index(objects, i), "qom-type");
        const Opt *id = opts_find(g_ptr_array_index(objects, i), "id");

        if (own && id && g_str_has_prefix(own->value, type) && strcmp(id->value, opt->value) == 0) {
            return true;
        }
    }
    return !opt ||
        legacy_refuse(o->legacy, DIAG_LEGACY_NAME, opt->value_at,
            "there is no -object %s with the id `%s`", type, opt->value);
}

/*
 * Schemas: JSON Schema 2020-12, a closed subset of it, and a few words of our own.
 *
 * A keyword outside the subset is an error in the schema, so that none is ever half obeyed. Our
 * words: x-unit (a text that is a quantity), x-ref (a text that names something), x-schema (which
 * schema a map with `type:` is of), x-successor (what a deprecated property is called now), x-instead
 * (keys and texts that people know from elsewhere, with what to write here; `*`: for a value of
 * another type), x-guest (whether a guest can tell: true, false, `partly` where only some values
 * differ to it, or `only` where another place says the same and no other value is right; what is
 * below has the same unless it says otherwise), x-lathe (what JSON Schema
 * cannot say; read by resolve).
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <glib.h>

#include "config/library.h"
#include "config/units.h"

typedef struct SchemaSet SchemaSet;
typedef struct Schema Schema;

typedef struct SchemaPattern {
    const char *source;
    GRegex *regex;
    const Schema *schema;
} SchemaPattern;

/* Whether a guest can tell what a value is. */
typedef enum SchemaGuest {
    GUEST_UNSAID,
    GUEST_SEES,
    GUEST_SEES_SOME, /* not every other value is another to it */
    GUEST_SEES_ONE,  /* another place says the same, and any other value is refused */
    GUEST_SEES_NOTHING
} SchemaGuest;

struct Schema {
    SchemaSet *set;
    const Node *node; /* where it is written */
    const Node *root; /* of its file: for `#/...` */

    bool never;     /* the schema `false` */
    unsigned types; /* a bit for each NodeKind; 0: any */
    const Node *constant, *enumeration, *required;
    const Node *minimum, *maximum;
    uint64_t min_items, max_items, min_length, max_length, min_properties, max_properties;
    const char *pattern;

    const Node *properties; /* the map; property_schemas has one for each of its entries */
    const Schema **property_schemas;
    SchemaPattern *patterns;
    unsigned pattern_count;
    const Schema *additional, *items;

    const char *ref; /* as written; schema_target() follows it */
    const Schema *target;

    const Node *default_value;
    const char *description, *error_message;
    UnitKind unit;
    const char *names;  /* x-ref: "clock", "channel" ... */
    const char *family; /* x-schema: "device" */
    bool deprecated;
    const char *successor; /* x-successor: what a deprecated property is called now */
    const Node *instead;   /* x-instead: a map of texts */
    SchemaGuest guest;     /* x-guest */
};

SchemaSet *schema_set_create(Library *library, Arena *arena, Diag *diag);
void schema_set_free(SchemaSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SchemaSet, schema_set_free)

/* From "schemas/machine.v1.yaml". NULL: no such file, or it is wrong (reported). */
const Schema *schema_load(SchemaSet *set, const char *name);

/* From a tree; NULL after reporting what is wrong with it. */
const Schema *schema_compile(SchemaSet *set, const Node *root);

/* What $ref leads to; NULL without $ref, or after reporting that it leads nowhere. */
const Schema *schema_target(const Schema *schema);

/* Of a property by name, through $ref; NULL if there is none. */
const Schema *schema_property(const Schema *schema, const char *name);

/* The arena of its set. */
Arena *schema_arena(const Schema *schema);

/* What it says, or what it refers to; false also when neither says anything. */
bool schema_is_hidden(const Schema *schema);
SchemaGuest schema_guest(const Schema *schema);

/* The first of the schema and its targets that says it. */
UnitKind schema_unit(const Schema *schema);
const Node *schema_default(const Schema *schema);

/* Compiled at first use; NULL after reporting a pattern that is none. */
GRegex *schema_regex(SchemaSet *set, const char *pattern, Mark at);

#endif

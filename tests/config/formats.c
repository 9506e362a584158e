/* schemas/formats says of each block driver what the driver says of itself. */
#include "tests/test.h"

#include <string.h>

#include "block/driver.h"
#include "config/loader.h"
#include "config/validate.h"

static const Node *format_of(Loader *l, const char *name)
{
    g_autofree char *file = g_strdup_printf("schemas/formats/%s.yaml", name);

    return library_load(l->library, file);
}

static const char *kind_of(const BlockDriver *driver)
{
    static const char *const internal[] = { "overlay", "power", NULL };

    return g_strv_contains(internal, driver->name) ? "internal"
        : driver->protocol                         ? "protocol"
        : driver->filter                           ? "filter"
                                                   : "format";
}

/* The words of a list, or the keys of a map, are those of the table: none more, none less. */
static void assert_same_words(const Node *node, const char *const *words)
{
    unsigned count = 0, has = !node ? 0
        : node->kind == NODE_MAP    ? node->map.count
                                    : node->list.count;

    for (; words && words[count]; count++) {
        bool found = node_get(node, words[count]) != NULL;

        for (unsigned i = 0; node && node->kind == NODE_LIST && i < node->list.count; i++) {
            found = found || strcmp(node_text(node->list.items[i]), words[count]) == 0;
        }
        if (!found) {
            fail_msg("`%s` is missing", words[count]);
        }
    }
    assert_int_equal(count, has);
}

static void every_driver_has_its_text(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_auto(Loader) l;
    const Schema *schema;

    loader_init(&l, NULL, diag);
    schema = schema_load(l.schemas, "schemas/format.v1.yaml");
    assert_non_null(schema);
    for (unsigned i = 0; block_drivers[i]; i++) {
        const BlockDriver *driver = block_drivers[i];
        const Node *format = format_of(&l, driver->name);

        if (!format || !validate(schema, (Node *)format, driver->name, format->mark, diag)) {
            diag_print(diag, stderr, DIAG_PLAIN);
            fail_msg("schemas/formats/%s.yaml is missing or wrong", driver->name);
        }
        assert_string_equal(node_text(node_get(format, "name")), driver->name);
        assert_string_equal(node_text(node_get(format, "kind")), kind_of(driver));
        assert_same_words(node_get(format, "create"), driver->create_options);
        assert_same_words(node_get(format, "urls"), driver->schemes);
    }
}

static void every_text_has_its_driver(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(GPtrArray) names = NULL;
    g_auto(Loader) l;

    loader_init(&l, NULL, diag);
    names = library_list(l.library, "schemas/formats", ".yaml");
    for (unsigned i = 0; i < names->len; i++) {
        assert_non_null(block_driver_find(g_ptr_array_index(names, i)));
    }
}

static bool has_word(const Node *list, const char *word)
{
    for (unsigned i = 0; list && i < list->list.count; i++) {
        if (strcmp(node_text(list->list.items[i]), word) == 0) {
            return true;
        }
    }
    return false;
}

/* `format` of drives and of images. */
static void a_machine_can_name_every_format(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_auto(Loader) l;
    const Node *machine, *image;

    loader_init(&l, NULL, diag);
    machine = library_load(l.library, "schemas/machine.v1.yaml");
    image = node_at(machine, "properties.images.patternProperties")->map.entries[0].value;
    for (unsigned i = 0; block_drivers[i]; i++) {
        const char *name = block_drivers[i]->name;

        if (strcmp(kind_of(block_drivers[i]), "format") == 0) {
            assert_true(has_word(node_at(machine, "$defs.drive.properties.format.enum"), name));
            assert_true(has_word(node_at(image, "properties.format.enum"), name));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_driver_has_its_text),
        cmocka_unit_test(every_text_has_its_driver),
        cmocka_unit_test(a_machine_can_name_every_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

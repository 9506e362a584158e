#include "tests/test.h"

#include <glib.h>

#include "config/events.h"
#include "config/layers.h"

static Node *parse(Arena *arena, Diag *diag, const char *text)
{
    g_autoptr(Source) source = source_from_text("text", text, -1, diag);

    return events_parse(source, arena, diag);
}

static void assert_merges(const char *base, const char *patch, const char *expected)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    Node *merged = layers_merge(arena, parse(arena, diag, base), parse(arena, diag, patch));

    if (!node_equal(merged, parse(arena, diag, expected))) {
        fail_msg("%s with %s is not %s", base, patch, expected);
    }
}

/* RFC 7386, appendix A. */
static void merging_follows_the_examples_of_the_rfc(void **state)
{
    assert_merges("{a: b}", "{a: c}", "{a: c}");
    assert_merges("{a: b}", "{b: c}", "{a: b, b: c}");
    assert_merges("{a: b}", "{a: null}", "{}");
    assert_merges("{a: b, b: c}", "{a: null}", "{b: c}");
    assert_merges("{a: [b]}", "{a: c}", "{a: c}");
    assert_merges("{a: c}", "{a: [b]}", "{a: [b]}");
    assert_merges("{a: {b: c}}", "{a: {b: d, c: null}}", "{a: {b: d}}");
    assert_merges("{a: [{b: c}]}", "{a: [1]}", "{a: [1]}");
    assert_merges("{e: null}", "{a: 1}", "{e: null, a: 1}");
    assert_merges("[1, 2]", "{a: b, c: null}", "{a: b}");
    assert_merges("{}", "{a: {bb: {ccc: null}}}", "{a: {bb: {}}}");
}

static void what_is_replaced_is_remembered(void **state)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    Node *root = parse(arena, diag, "{drives: {root: {cache: none}}}");
    Node *cache;

    assert_true(layers_apply_set(root, "drives.root.cache=unsafe", 1, arena, diag));
    cache = node_at(root, "drives.root.cache");
    assert_string_equal(node_text(cache), "unsafe");
    assert_string_equal(cache->layer, "--set");
    assert_int_equal(cache->mark.column, 19);
    assert_string_equal(node_text(cache->under), "none");
}

static void a_profile_is_a_patch_of_its_own_file(void **state)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    Node *root = parse(arena, diag,
        "cpus: {count: 2}\nnet: {a: 1}\n"
        "profiles: {fast: {cpus: {count: 4}, net: null}}\n");

    assert_true(layers_apply_profile(root, "fast", arena, diag));
    assert_int_equal(node_uint(node_at(root, "cpus.count")), 4);
    assert_null(node_get(root, "net"));
    assert_false(layers_apply_profile(root, "slow", arena, diag));
}

static void a_large_map_finds_every_key_also_after_removal(void **state)
{
    g_autoptr(Arena) arena = arena_create();
    Node *map = node_new(arena, NODE_MAP, NO_MARK);

    for (unsigned i = 0; i < 1000; i++) {
        node_map_set(arena, map, arena_printf(arena, "key%u", i), NO_MARK,
            node_new(arena, NODE_NULL, NO_MARK));
    }
    node_map_remove(map, "key500");
    assert_int_equal(map->map.count, 999);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(node_get(map, arena_printf(arena, "key%u", i)) != NULL, i != 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_follows_the_examples_of_the_rfc),
        cmocka_unit_test(what_is_replaced_is_remembered),
        cmocka_unit_test(a_profile_is_a_patch_of_its_own_file),
        cmocka_unit_test(a_large_map_finds_every_key_also_after_removal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

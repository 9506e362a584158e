#include "config/packed.h"

#include "tests/test.h"

#include "config/events.h"

static const char text[] = "a: -12\n"
                           "b: [true, null, 1.5, 0xffffffffffffffff]\n"
                           "'c': |\n"
                           "  lines\n"
                           "  of text\n"
                           "d: { e: {}, f: [] }\n"
                           "g: { 1a: 1, 2a: 2, 3a: 3, 4a: 4, 5a: 5, 6a: 6, 7a: 7, 8a: 8, 9a: 9, h: 10 }\n";

static void assert_same(const Node *left, const Node *right)
{
    assert_int_equal(left->kind, right->kind);
    assert_int_equal(left->quoted, right->quoted);
    assert_int_equal(left->negative, right->negative);
    assert_int_equal(left->mark.width, right->mark.width);
    assert_int_equal(left->end_line, right->end_line);
    assert_int_equal(left->end_column, right->end_column);
    for (unsigned i = 0; left->kind == NODE_MAP && i < left->map.count; i++) {
        assert_same(left->map.entries[i].value, right->map.entries[i].value);
    }
    for (unsigned i = 0; left->kind == NODE_LIST && i < left->list.count; i++) {
        assert_same(left->list.items[i], right->list.items[i]);
    }
}

static void a_tree_comes_back_as_it_was(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Source) source = source_from_text("m.yaml", text, -1, diag);
    const Node *root = events_parse(source, arena, diag);
    g_autoptr(GByteArray) packed = packed_write(root);
    const Node *back = packed_read(packed->data, source->name, arena);
    g_autofree char *before = node_to_string(root), *after = node_to_string(back);

    assert_int_equal(diag_errors(diag), 0);
    assert_string_equal(after, before);
    assert_true(node_equal(root, back));
    assert_same(root, back);
}

static void a_key_of_a_large_map_is_found(void **state)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Source) source = source_from_text("m.yaml", text, -1, diag);
    g_autoptr(GByteArray) packed = packed_write(events_parse(source, arena, diag));
    Node *back = packed_read(packed->data, source->name, arena);

    assert_int_equal(node_uint(node_at(back, "g.h")), 10);
    node_map_set(arena, node_get(back, "g"), "new", NO_MARK, node_get(back, "a"));
    assert_ptr_equal(node_at(back, "g.new"), node_get(back, "a"));
    assert_int_equal(node_uint(node_at(back, "g.9a")), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_comes_back_as_it_was),
        cmocka_unit_test(a_key_of_a_large_map_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

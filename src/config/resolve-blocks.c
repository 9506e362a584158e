/* Graphs of block nodes: what is under `blocks`, and under `block` of a drive. */
#include <string.h>

#include "config/resolve-impl.h"
#include "core/block-spec.h"

enum { DEEPEST = 32 };

static const BlockSpec *resolve_node(
    Resolver *r, const Node *node, const DriveSpec *drive, unsigned depth);

static void fill_rule(BlockRule *rule, const Node *node)
{
    const Node *after = node_good(node, "after"), *times = node_good(node, "times");

    *rule = (BlockRule){
        .op = node_text(node_good(node, "op")),
        .at = resolve_quantity(node_good(node, "at"), UNIT_BYTES),
        .length = resolve_quantity(node_good(node, "length"), UNIT_BYTES),
        .error = node_text(node_good(node, "error")),
        .delay_ns = resolve_quantity(node_good(node, "delay"), UNIT_TIME),
        .after = after ? after->scalar.magnitude : 0,
        .times = times ? times->scalar.magnitude : 0,
    };
}

static void fill_rules(Resolver *r, BlockSpec *block, const Node *node)
{
    BlockRule *rules;

    if (!node || node->kind != NODE_LIST) {
        return;
    }
    rules = arena_alloc(r->arena, MAX(node->list.count, 1) * sizeof(BlockRule));
    for (unsigned i = 0; i < node->list.count; i++) {
        fill_rule(&rules[i], node->list.items[i]);
    }
    block->rules = rules;
    block->rule_count = node->list.count;
}

/* `child` is the first of them, `children` and `log` are what comes after it. */
static bool fill_children(
    Resolver *r, BlockSpec *block, const Node *node, const DriveSpec *drive, unsigned depth)
{
    const Node *list = node_good(node, "children");
    const Node *singles[] = { node_good(node, "child"), node_good(node, "log") };
    bool fine = true;

    for (unsigned i = 0; i < G_N_ELEMENTS(singles); i++) {
        if (singles[i]) {
            block->children[block->child_count++] = resolve_node(r, singles[i], drive, depth);
        }
    }
    for (unsigned i = 0; list && i < list->list.count; i++) {
        if (block->child_count == BLOCK_SPEC_CHILDREN) {
            return diag_error(r->diag, DIAG_RANGE, list->mark, "a block has at most %d children",
                BLOCK_SPEC_CHILDREN);
        }
        block->children[block->child_count++] = resolve_node(r, list->list.items[i], drive, depth);
    }
    for (unsigned i = 0; i < block->child_count; i++) {
        fine = fine && block->children[i];
    }
    return fine;
}

static bool fill_block(
    Resolver *r, BlockSpec *block, const Node *node, const DriveSpec *drive, unsigned depth)
{
    const Node *file = node_good(node, "file"), *backing = node_good(node, "backing"),
               *votes = node_good(node, "votes"), *aio = node_good(node, "aio"),
               *cache = node_good(node, "cache");

    block->mark = node->mark;
    block->driver = resolve_text(node_good(node, "driver"));
    block->name = block->driver.text;
    if (file) {
        block->path = resolve_place(r, file);
    }
    block->size = resolve_quantity(node_good(node, "size"), UNIT_BYTES);
    block->cache = drive->cache;
    if (cache) {
        resolve_cache(&block->cache, cache);
    }
    block->aio = aio ? (DriveAio)word_find(drive_aio_words, node_text(aio)) : drive->aio;
    block->read_only = node_is_true(node_good(node, "read-only"));
    block->reconnect_ns = resolve_quantity(node_good(node, "reconnect"), UNIT_TIME);
    block->votes = votes ? votes->scalar.magnitude : 0;
    resolve_throttle(&block->throttle, node_good(node, "throttle"));
    fill_rules(r, block, node_good(node, "rules"));
    if (backing && !(block->backing = resolve_node(r, backing, drive, depth))) {
        return false;
    }
    return fill_children(r, block, node, drive, depth);
}

/* A text is a name under `blocks`; NULL after saying what is wrong. */
static const BlockSpec *resolve_node(
    Resolver *r, const Node *node, const DriveSpec *drive, unsigned depth)
{
    const Node *blocks = node_good(r->in->machine, "blocks");
    const char *name = node->kind == NODE_STRING ? node_text(node) : NULL;
    BlockSpec *block = ARENA_NEW(r->arena, BlockSpec);

    if (depth == DEEPEST) {
        diag_error(r->diag, DIAG_LIMIT, node->mark, "a block lies on itself, or too deep");
        return NULL;
    }
    if (name && !node_get(blocks, name)) {
        diag_error(r->diag, DIAG_UNKNOWN_REFERENCE, node->mark, "there is no block `%s`", name);
        resolve_suggest(r, name, blocks);
        return NULL;
    }
    node = name ? node_get(blocks, name) : node;
    if (node->bad || !fill_block(r, block, node, drive, depth + 1)) {
        return NULL;
    }
    block->name = name ? name : block->name;
    return block;
}

const BlockSpec *resolve_block(Resolver *r, const Node *node, const DriveSpec *drive)
{
    return resolve_node(r, node, drive, 0);
}

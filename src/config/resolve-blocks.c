/* Graphs of block nodes: what is under `blocks`, and under `block` of a drive. */
#include <string.h>

#include "config/resolve-impl.h"
#include "core/block-spec.h"

enum { DEEPEST = 32 };

/* What a node is wanted for. */
typedef struct Use {
    const DriveSpec *drive; /* whose settings count where the node has none of its own */
    bool writes;
    bool backing; /* as what another image is based on: must not change */
    unsigned depth;
} Use;

/* A node under `blocks`, once for all that use it. */
typedef struct NamedBlock {
    BlockSpec *block;
    Mark at; /* the first use */
    bool own_cache, own_aio;
    bool fixed; /* read-only, whoever uses it */
    bool written, backs;
} NamedBlock;

static const BlockSpec *resolve_node(Resolver *r, const Node *node, const Use *use);

static Use deeper(const Use *use)
{
    Use below = *use;

    below.depth++;
    return below;
}

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
static bool fill_children(Resolver *r, BlockSpec *block, const Node *node, const Use *use)
{
    const Node *list = node_good(node, "children");
    const Node *singles[] = { node_good(node, "child"), node_good(node, "log") };
    bool fine = true;

    for (unsigned i = 0; i < G_N_ELEMENTS(singles); i++) {
        if (singles[i]) {
            block->children[block->child_count++] = resolve_node(r, singles[i], use);
        }
    }
    for (unsigned i = 0; list && i < list->list.count; i++) {
        if (block->child_count == BLOCK_SPEC_CHILDREN) {
            return diag_error(r->diag, DIAG_RANGE, list->mark, "a block has at most %d children",
                BLOCK_SPEC_CHILDREN);
        }
        block->children[block->child_count++] = resolve_node(r, list->list.items[i], use);
    }
    for (unsigned i = 0; i < block->child_count; i++) {
        fine = fine && block->children[i];
    }
    return fine;
}

/* What lies below is not written to when this is read-only; a base must not be at all. */
static bool fill_below(Resolver *r, BlockSpec *block, const Node *node, const Use *use)
{
    const Node *backing = node_good(node, "backing");
    Use below = deeper(use);

    below.writes = use->writes && !block->read_only;
    if (!fill_children(r, block, node, &below)) {
        return false;
    }
    below.writes = false;
    below.backing = true;
    block->backing = backing ? resolve_node(r, backing, &below) : NULL;
    return !backing || block->backing;
}

static bool fill_block(Resolver *r, BlockSpec *block, const Node *node, const Use *use)
{
    const Node *file = node_good(node, "file"), *votes = node_good(node, "votes"),
               *aio = node_good(node, "aio"), *cache = node_good(node, "cache");

    block->mark = node->mark;
    block->driver = resolve_text(node_good(node, "driver"));
    block->name = block->driver.text;
    if (file) {
        block->path = resolve_place(r, file);
    }
    block->size = resolve_quantity(node_good(node, "size"), UNIT_BYTES);
    block->offset = resolve_quantity(node_good(node, "offset"), UNIT_BYTES);
    block->cache = use->drive->cache;
    if (cache) {
        resolve_cache(&block->cache, cache);
    }
    block->aio = aio ? (DriveAio)word_find(drive_aio_words, node_text(aio)) : use->drive->aio;
    block->key = use->drive->key;
    resolve_key(r, &block->key, node_good(node, "encryption"));
    block->read_only = node_is_true(node_good(node, "read-only"));
    block->reconnect_ns = resolve_quantity(node_good(node, "reconnect"), UNIT_TIME);
    block->votes = votes ? votes->scalar.magnitude : 0;
    block->metadata_cache = node_good(node, "metadata-cache")
        ? resolve_quantity(node_good(node, "metadata-cache"), UNIT_BYTES)
        : use->drive->metadata_cache;
    resolve_throttle(&block->throttle, node_good(node, "throttle"));
    fill_rules(r, block, node_good(node, "rules"));
    return fill_below(r, block, node, use);
}

/* ---- nodes that several use ---- */

static bool same_cache(const DriveCache *one, const DriveCache *other)
{
    return one->writeback == other->writeback && one->direct == other->direct &&
        one->no_flush == other->no_flush;
}

/* What the second one wants must be what the first one has. */
static bool check_sharing(Resolver *r, const NamedBlock *named, const Node *at, const Use *use)
{
    const BlockSpec *block = named->block;
    const char *wrong = NULL;

    if (!named->own_cache && !same_cache(&block->cache, &use->drive->cache)) {
        wrong = "cache";
    } else if (!named->own_aio && block->aio != use->drive->aio) {
        wrong = "aio";
    }
    if (wrong) {
        diag_error(r->diag, DIAG_SHARED_BLOCK, at->mark,
            "the block `%s` is used twice, with another %s here", block->name, wrong);
        diag_note(r->diag, named->at, "the other use");
        diag_hint(r->diag, "give the block its own `%s`", wrong);
    }
    return !wrong;
}

static bool check_base(Resolver *r, const NamedBlock *named, const Node *at)
{
    if (!named->written || !named->backs) {
        return true;
    }
    diag_error(r->diag, DIAG_SHARED_BLOCK, at->mark,
        "an image is based on the block `%s`, which another drive writes to", named->block->name);
    diag_note(r->diag, named->at, "the other use");
    diag_hint(r->diag, "set `read-only: true` or `overlay: ephemeral` for who writes");
    return false;
}

static NamedBlock *name_block(Resolver *r, const Node *at, const Node *node, BlockSpec *block)
{
    NamedBlock *named = ARENA_NEW(r->arena, NamedBlock);

    *named = (NamedBlock){ .block = block,
        .at = at->mark,
        .own_cache = node_get(node, "cache"),
        .own_aio = node_get(node, "aio"),
        .fixed = block->read_only };
    g_hash_table_insert(r->blocks, (char *)block->name, named);
    return named;
}

/* Somebody writes to a block, and so to what it lies on. */
static void mark_written(Resolver *r, const BlockSpec *block)
{
    NamedBlock *named = g_hash_table_lookup(r->blocks, block->name);

    if (named && named->block == block) {
        named->written = !named->fixed;
        named->block->read_only = named->fixed;
    }
    for (unsigned i = 0; i < block->child_count && !block->read_only; i++) {
        mark_written(r, block->children[i]);
    }
}

static const BlockSpec *use_named(Resolver *r, const Node *at, const char *name, const Use *use)
{
    const Node *node = node_get(node_good(r->in->machine, "blocks"), name);
    NamedBlock *named = g_hash_table_lookup(r->blocks, name);

    if (named) {
        named->block->shared = true;
        if (!check_sharing(r, named, at, use)) {
            return NULL;
        }
    } else {
        BlockSpec *block = ARENA_NEW(r->arena, BlockSpec);

        if (node->bad || !fill_block(r, block, node, use)) {
            return NULL;
        }
        block->name = name;
        named = name_block(r, at, node, block);
    }
    named->backs |= use->backing;
    named->block->read_only = !named->written;
    if (use->writes) {
        mark_written(r, named->block);
    }
    return check_base(r, named, at) ? named->block : NULL;
}

/* A text is a name under `blocks`; NULL after saying what is wrong. */
static const BlockSpec *resolve_node(Resolver *r, const Node *node, const Use *use)
{
    const Node *blocks = node_good(r->in->machine, "blocks");
    const char *name = node->kind == NODE_STRING ? node_text(node) : NULL;
    BlockSpec *block;

    if (use->depth == DEEPEST) {
        diag_error(r->diag, DIAG_LIMIT, node->mark, "a block lies on itself, or too deep");
        return NULL;
    }
    if (name && !node_get(blocks, name)) {
        diag_error(r->diag, DIAG_UNKNOWN_REFERENCE, node->mark, "there is no block `%s`", name);
        resolve_suggest(r, name, blocks);
        return NULL;
    }
    if (name) {
        return use_named(r, node, name, use);
    }
    block = ARENA_NEW(r->arena, BlockSpec);
    return node->bad || !fill_block(r, block, node, use) ? NULL : block;
}

const BlockSpec *resolve_block(Resolver *r, const Node *node, const DriveSpec *drive)
{
    Use use = { .drive = drive, .writes = !drive->read_only && drive->overlay == OVERLAY_NONE };

    use.backing = drive->overlay != OVERLAY_NONE;
    return resolve_node(r, node, &use);
}

/*
 * mkdecode: the decision tree. The bits of the first step are chosen by whoever wrote the table (`index`), the run of
 * bits of each other is searched for. Rows that only the lack of a feature tells from others would be lists for every
 * CPU: with and without such a feature, instructions have first steps of their own.
 */
#include <string.h>

#include "tcg/mkdecode.h"

enum { RUN_MAX = 8, SPLITS = 2 };

/*
 * What an entry of a step costs, in instructions that are left in doubt: behind the first step, all are to be settled
 * if a table of some hundred bytes can do that; further ones only keep lists short.
 */
static const double entry_price[] = { 1.0 / 512, 1.0 / 32 };

/* What the steps so far have told. */
typedef struct Known {
    DecodeMatch bits;
    uint64_t on, off; /* features */
    unsigned depth;
} Known;

typedef struct Builder {
    Tree *tree;
    GArray *alone; /* of unsigned: entries that a first step leads to whatever the other bits are */
    GArray *runs;  /* of DecodeStep: the first steps that look at bits */
    GHashTable *groups;   /* text of rows and of what is known -> 1 + entry */
    GHashTable *contents; /* text of entries -> 1 + where they are */
} Builder;

static bool covers(DecodeMatch narrow, DecodeMatch wide)
{
    return (narrow.mask & wide.mask) == wide.mask && (narrow.value & wide.mask) == wide.value;
}

static DecodeMatch both(DecodeMatch a, DecodeMatch b)
{
    return (DecodeMatch){ a.mask | b.mask, a.value | b.value };
}

static bool differ(DecodeMatch a, DecodeMatch b)
{
    return (a.value ^ b.value) & a.mask & b.mask;
}

static bool is_possible(const Row *row, const Known *known)
{
    const DecodeRow *r = &row->decode;
    DecodeMatch match = both(r->match, known->bits);

    return !differ(r->match, known->bits) && !(r->need & known->off) && !(r->deny & known->on) &&
        !row_excludes_all(row, match);
}

/* Does it take all that is left, if only the CPU has what it needs? */
static bool is_settled(const Row *row, const Known *known)
{
    const DecodeRow *r = &row->decode;

    for (unsigned i = 0; i < r->exclude_count; i++) {
        if (!differ(r->excludes[i], known->bits)) {
            return false;
        }
    }
    return !(r->match.mask & ~known->bits.mask) && !(r->deny & ~known->off);
}

/* The part of all words that the row takes, as far as they are as known, and as if it excluded none. */
static double share_of(const Row *row, const Known *known)
{
    return 1.0 /
        (double)(UINT64_C(1) << __builtin_popcount(row->decode.match.mask & ~known->bits.mask));
}

static Known with_run(const Known *known, uint32_t run, uint32_t value)
{
    Known more = *known;

    more.bits.mask |= run;
    more.bits.value |= value << (run ? __builtin_ctz(run) : 0) & run;
    more.depth++;
    return more;
}

static unsigned run_size(uint32_t run)
{
    return 1u << __builtin_popcount(run);
}

/* Is the value of the run's bits what is known of some of them already? */
static bool fits_known(const Known *known, uint32_t run, uint32_t value)
{
    DecodeMatch match = { run, run ? value << __builtin_ctz(run) : 0 };

    return !differ(match, known->bits);
}

/* The part of the instructions that a run of bits (0: none) leaves in doubt, and what its entries cost. */
static double cost_of_run(GPtrArray *rows, const Known *known, uint32_t run)
{
    double all = 0, doubt = 0;

    for (unsigned i = 0; i < rows->len; i++) {
        all += share_of(rows->pdata[i], known);
    }
    for (unsigned value = 0; value < run_size(run); value++) {
        Known more = with_run(known, run, value);
        unsigned count = 0, settled = 0;
        double share = 0;

        for (unsigned i = 0; i < rows->len && fits_known(known, run, value); i++) {
            if (is_possible(rows->pdata[i], &more)) {
                count++;
                settled += is_settled(rows->pdata[i], &more);
                share += share_of(rows->pdata[i], &more) / run_size(run & ~known->bits.mask);
            }
        }
        if (count > 1 || !settled) {
            doubt += share * (3 + count) / 4;
        }
    }
    return doubt / all + run_size(run) * entry_price[MIN(known->depth, 2) - 1];
}

/* The bits that rows ask for and nobody has told. */
static uint32_t bits_in_doubt(GPtrArray *rows, const Known *known)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < rows->len; i++) {
        const DecodeRow *r = &((const Row *)rows->pdata[i])->decode;

        bits |= r->match.mask;
        for (unsigned k = 0; k < r->exclude_count; k++) {
            bits |= r->excludes[k].mask;
        }
    }
    return bits & ~known->bits.mask;
}

/* 0: a list is better than any. */
static uint32_t choose_run(GPtrArray *rows, const Known *known)
{
    uint32_t doubt = bits_in_doubt(rows, known), best = 0;
    double least = cost_of_run(rows, known, 0);

    for (unsigned lsb = 0; lsb < 32; lsb++) {
        for (unsigned length = 1; length <= MIN(RUN_MAX, 32 - lsb); length++) {
            uint32_t run = ((UINT32_C(1) << length) - 1) << lsb;

            /* no bits at its ends that tell nothing */
            if (doubt >> lsb & doubt >> (lsb + length - 1) & 1) {
                double cost = cost_of_run(rows, known, run);

                best = cost < least ? run : best;
                least = MIN(cost, least);
            }
        }
    }
    return best;
}

/* Where the elements are in the array, to which they are added if they are nowhere. */
static unsigned place_of(Builder *b, GArray *array, const unsigned *elements, unsigned count)
{
    GString *key = g_string_new(NULL);
    unsigned at = array->len;

    g_string_append_printf(key, "%p", (void *)array);
    for (unsigned i = 0; i < count; i++) {
        g_string_append_printf(key, " %x", elements[i]);
    }
    char *text = g_string_free(key, FALSE);
    unsigned known = GPOINTER_TO_UINT(g_hash_table_lookup(b->contents, text));
    if (known) {
        return known - 1;
    }
    g_array_append_vals(array, elements, count);
    g_hash_table_insert(b->contents, text, GUINT_TO_POINTER(at + 1));
    return at;
}

static GPtrArray *possible_rows(GPtrArray *rows, const Known *known)
{
    GPtrArray *possible = g_ptr_array_new();

    for (unsigned i = 0; i < rows->len; i++) {
        if (is_possible(rows->pdata[i], known)) {
            g_ptr_array_add(possible, rows->pdata[i]);
        }
    }
    return possible;
}

static unsigned add_list(Builder *b, GPtrArray *rows)
{
    g_autofree unsigned *list = g_new(unsigned, rows->len + 1);

    for (unsigned i = 0; i < rows->len; i++) {
        list[i] = ((const Row *)rows->pdata[i])->index;
    }
    list[rows->len] = DECODE_LIST_END;
    return TREE_LIST + place_of(b, b->tree->lists, list, rows->len + 1);
}

static unsigned entry_for(Builder *b, GPtrArray *rows, const Known *known);

static DecodeStep step_for_run(Builder *b, GPtrArray *rows, const Known *known, uint32_t run)
{
    g_autofree unsigned *entries = g_new(unsigned, run_size(run));
    g_autoptr(GPtrArray) none = g_ptr_array_new();

    for (unsigned value = 0; value < run_size(run); value++) {
        Known more = with_run(known, run, value);

        entries[value] = entry_for(b, fits_known(known, run, value) ? rows : none, &more);
    }
    return (DecodeStep){
        .base = place_of(b, b->tree->entries, entries, run_size(run)),
        .lsb = __builtin_ctz(run),
        .mask = run_size(run) - 1,
    };
}

/* All that what becomes of the rows depends on. */
static char *group_key(GPtrArray *rows, const Known *known)
{
    uint32_t bits = ~bits_in_doubt(rows, &(Known){ .depth = known->depth });
    GString *key = g_string_new(NULL);

    g_string_append_printf(key, "%u %x %x %" G_GINT64_MODIFIER "x", known->depth == 1,
        known->bits.mask | bits, known->bits.value & ~bits, known->on);
    for (unsigned i = 0; i < rows->len; i++) {
        g_string_append_printf(key, " %u", ((const Row *)rows->pdata[i])->index);
    }
    return g_string_free(key, FALSE);
}

static unsigned entry_for(Builder *b, GPtrArray *all_rows, const Known *known)
{
    g_autoptr(GPtrArray) rows = possible_rows(all_rows, known);

    if (rows->len == 1 && is_settled(rows->pdata[0], known)) {
        return ((const Row *)rows->pdata[0])->index;
    }
    if (!rows->len) {
        return add_list(b, rows);
    }
    char *key = group_key(rows, known);
    unsigned entry = GPOINTER_TO_UINT(g_hash_table_lookup(b->groups, key));
    if (entry) {
        return entry - 1;
    }
    uint32_t run = choose_run(rows, known);
    if (run) {
        GArray *steps = known->depth == 1 ? b->runs : b->tree->steps;
        DecodeStep step = step_for_run(b, rows, known, run);

        entry = TREE_STEP + steps->len;
        g_array_append_val(steps, step);
    } else {
        entry = add_list(b, rows);
    }
    g_hash_table_insert(b->groups, key, GUINT_TO_POINTER(entry + 1));
    return entry;
}

static unsigned field_bits(const DecodeField *field)
{
    return __builtin_popcount(field_match(field, 0).mask);
}

_Static_assert(sizeof(DecodeStep) == sizeof(unsigned), "place_of() takes both");

/* A first step; it has a run of bits, or leads to an entry of `alone`. */
static DecodeStep first_step(Builder *b, GPtrArray *all_rows, const Known *known)
{
    unsigned entry = entry_for(b, all_rows, known);

    if (entry >= TREE_STEP && entry < TREE_LIST) {
        return g_array_index(b->runs, DecodeStep, entry - TREE_STEP);
    }
    return (DecodeStep){ .base = place_of(b, b->alone, &entry, 1) };
}

/* The first steps of the words with these lowest bits; begins[] gets where they are. */
static void build_first(Builder *b, const Decoder *d, Known known, uint32_t low)
{
    const Root *root = &d->roots[0];
    DecodeMatch low_match = { (1u << b->tree->low_bits) - 1, low };
    GArray *steps = g_array_new(FALSE, FALSE, sizeof(DecodeStep));

    if (!covers(low_match, root->when)) {
        root++;
    }
    DecodeMatch index = field_match(&root->index.decode, 0);
    uint32_t told = (index.mask | root->when.mask) & low_match.mask;
    known.bits = (DecodeMatch){ told, low & told };
    for (unsigned value = 0; value < 1u << field_bits(&b->tree->top); value++) {
        Known more = known;
        DecodeStep step;

        more.bits = both(known.bits, field_match(&b->tree->top, value));
        step = first_step(b, d->rows, &more);
        g_array_append_val(steps, step);
    }
    unsigned begin = place_of(
        b, b->tree->first, (const unsigned *)(const void *)steps->data, steps->len);
    g_array_append_val(b->tree->begins, begin);
}

/* The lowest features that a row wants to be without: each makes rows exclude one another that no bits tell apart. */
static uint64_t features_to_split(const Decoder *d)
{
    uint64_t denied = 0, split = 0;

    for (unsigned i = 0; i < d->rows->len; i++) {
        denied |= ((const Row *)d->rows->pdata[i])->decode.deny;
    }
    for (unsigned i = 0; i < SPLITS; i++) {
        split |= denied & -denied;
        denied &= denied - 1;
    }
    return split;
}

/* The entries of `alone` come before all others, which makes them neighbours. */
static void join_entries(Builder *b)
{
    Tree *tree = b->tree;
    GArray *steps[] = { tree->first, tree->steps };

    for (unsigned k = 0; k < G_N_ELEMENTS(steps); k++) {
        for (unsigned i = 0; i < steps[k]->len; i++) {
            DecodeStep *step = &g_array_index(steps[k], DecodeStep, i);

            step->base += step->mask ? b->alone->len : 0;
        }
    }
    g_array_prepend_vals(tree->entries, b->alone->data, b->alone->len);
    tree->alone = b->alone->len;
}

static void set_top(Tree *tree, const Decoder *d)
{
    tree->top = d->roots[0].index.decode;
    if (d->root_count > 1) {
        tree->top.count = 1;
        tree->low_bits = MAX_LOW_BITS;
    }
}

Tree *tree_new(const Decoder *d)
{
    Tree *tree = g_new0(Tree, 1);
    uint64_t on = 0;
    Builder b = {
        .tree = tree,
        .alone = g_array_new(FALSE, FALSE, sizeof(unsigned)),
        .runs = g_array_new(FALSE, FALSE, sizeof(DecodeStep)),
        .groups = g_hash_table_new(g_str_hash, g_str_equal),
        .contents = g_hash_table_new(g_str_hash, g_str_equal),
    };

    *tree = (Tree){
        .split = features_to_split(d),
        .begins = g_array_new(FALSE, FALSE, sizeof(unsigned)),
        .first = g_array_new(FALSE, FALSE, sizeof(DecodeStep)),
        .entries = g_array_new(FALSE, FALSE, sizeof(unsigned)),
        .steps = g_array_new(FALSE, FALSE, sizeof(DecodeStep)),
        .lists = g_array_new(FALSE, FALSE, sizeof(unsigned)),
    };
    set_top(tree, d);
    add_list(&b, g_ptr_array_new()); /* the empty one is at 0 */
    do { /* each set of features in turn, as a number of those bits only */
        Known known = { .on = on, .off = tree->split & ~on, .depth = 1 };

        for (uint32_t low = 0; low < 1u << tree->low_bits; low++) {
            build_first(&b, d, known, low);
        }
        on = (on - tree->split) & tree->split;
    } while (on);
    join_entries(&b);
    g_assert(tree->entries->len <= UINT16_MAX && tree->first->len <= UINT16_MAX);
    g_assert(d->rows->len + tree->steps->len + tree->lists->len < DECODE_LIST_END);
    return tree;
}

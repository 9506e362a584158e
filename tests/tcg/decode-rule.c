#include "tests/tcg/decode-rule.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUCKETS = 256, SETS = 4, OWN_WORDS = 200 };

/* Rows by a byte of the instruction, as no more than a shorter way through all of them. */
typedef struct Rows {
    const DecodeTable *table;
    unsigned lsb;
    unsigned *bucket[BUCKETS]; /* row numbers */
    unsigned count[BUCKETS];
    uint64_t random;
} Rows;

static uint64_t next(Rows *rows)
{
    rows->random ^= rows->random << 13;
    rows->random ^= rows->random >> 7;
    rows->random ^= rows->random << 17;
    return rows->random;
}

static void rows_init(Rows *rows, const DecodeTable *table)
{
    *rows = (Rows){ .table = table, .lsb = 24, .random = 88172645463325252 };
    for (unsigned i = 0; i < table->row_count; i++) {
        rows->lsb = table->rows[i].bits == 16 ? 0 : rows->lsb;
    }
    for (unsigned k = 0; k < BUCKETS; k++) {
        rows->bucket[k] = calloc(table->row_count, sizeof(unsigned));
        for (unsigned i = 0; i < table->row_count; i++) {
            DecodeMatch match = table->rows[i].match;

            if (!((match.value >> rows->lsb ^ k) & match.mask >> rows->lsb & 0xff)) {
                rows->bucket[k][rows->count[k]++] = i;
            }
        }
    }
}

static void rows_free(Rows *rows)
{
    for (unsigned k = 0; k < BUCKETS; k++) {
        free(rows->bucket[k]);
    }
}

static bool has_features(const DecodeRow *row, uint64_t features)
{
    return (features & row->need) == row->need && !(features & row->deny);
}

static bool has_bits(const DecodeRow *row, uint32_t insn)
{
    for (unsigned i = 0; i < row->exclude_count; i++) {
        if ((insn & row->excludes[i].mask) == row->excludes[i].value) {
            return false;
        }
    }
    return (insn & row->match.mask) == row->match.value;
}

static bool differ(uint32_t insn, uint64_t features, int found, int row)
{
    fprintf(stderr, "insn %#x, features %#llx: finds row %d, not %d\n", insn,
        (unsigned long long)features, found, row);
    return false;
}

/* With all features, with none, with half of them, with nearly all. */
static bool same_for_word(Rows *rows, uint32_t insn)
{
    uint64_t sets[SETS] = { ~UINT64_C(0), 0, next(rows), next(rows) | next(rows) | next(rows) };
    int expected[SETS] = { -1, -1, -1, -1 };
    unsigned k = insn >> rows->lsb & 0xff;

    for (unsigned i = 0; i < rows->count[k]; i++) {
        const DecodeRow *row = &rows->table->rows[rows->bucket[k][i]];
        bool bits = has_bits(row, insn);

        for (unsigned s = 0; bits && s < SETS; s++) {
            if (!has_features(row, sets[s])) {
                continue;
            }
            if (expected[s] >= 0) {
                return differ(insn, sets[s], expected[s], (int)rows->bucket[k][i]);
            }
            expected[s] = (int)rows->bucket[k][i];
        }
    }
    for (unsigned s = 0; s < SETS; s++) {
        int found = rows->table->find(insn, sets[s]);

        if (found != expected[s]) {
            return differ(insn, sets[s], found, expected[s]);
        }
    }
    return true;
}

/* Words of the row, and others that differ from them in one bit. */
static bool same_for_row(Rows *rows, const DecodeRow *row)
{
    bool same = true;

    for (unsigned n = 0; same && n < OWN_WORDS; n++) {
        uint32_t insn = ((uint32_t)next(rows) & ~row->match.mask) | row->match.value;

        same = same_for_word(rows, insn) && same_for_word(rows, insn ^ 1u << n % 32);
    }
    /* All its operands alike, which is what rows exclude. */
    return same && same_for_word(rows, row->match.value) &&
        same_for_word(rows, row->match.value | ~row->match.mask);
}

bool decode_keeps_rule(const DecodeTable *table, unsigned words)
{
    bool same = true;
    Rows rows;

    rows_init(&rows, table);
    for (unsigned i = 0; same && i < table->row_count; i++) {
        same = same_for_row(&rows, &table->rows[i]);
    }
    for (unsigned n = 0; same && n < words; n++) {
        same = same_for_word(&rows, (uint32_t)next(&rows));
    }
    rows_free(&rows);
    return same;
}

#include "tcg/decode.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

int decode_further(const DecodeTree *tree, unsigned entry, uint32_t insn, uint64_t features)
{
    unsigned lists_begin = tree->row_count + tree->step_count;

    while (entry >= tree->row_count && entry < lists_begin) {
        entry = decode_step(tree, &tree->steps[entry - tree->row_count], insn);
    }
    if (entry < tree->row_count) {
        return tree->needs[tree->needs_of[entry]] & ~features ? -1 : (int)entry;
    }
    for (const uint16_t *row = &tree->lists[entry - lists_begin]; *row != DECODE_LIST_END; row++) {
        if (decode_row_matches(&tree->rows[*row], insn, features)) {
            return *row;
        }
    }
    return -1;
}

int64_t decode_field(const DecodeField *field, uint32_t insn)
{
    uint32_t value = 0;
    unsigned bits = 0;

    for (unsigned i = 0; i < field->count; i++) {
        const DecodePiece *piece = &field->pieces[i];

        value = value << piece->length |
            (insn >> piece->lsb & ((UINT64_C(1) << piece->length) - 1));
        bits += piece->length;
    }
    if (field->is_signed && bits < 32 && value >> (bits - 1) & 1) {
        value |= ~UINT32_C(0) << bits;
    }
    return (int32_t)(value << field->shift) + field->add;
}

bool decode_set_field(const DecodeField *field, int64_t value, uint32_t *insn)
{
    uint64_t bits = (uint64_t)(value - field->add) >> field->shift;

    for (unsigned i = field->count; i--;) {
        const DecodePiece *piece = &field->pieces[i];
        uint32_t ones = (UINT64_C(1) << piece->length) - 1;

        *insn = (*insn & ~(ones << piece->lsb)) | (uint32_t)(bits & ones) << piece->lsb;
        bits >>= piece->length;
    }
    return decode_field(field, *insn) == value;
}

const DecodeField *decode_row_field(const DecodeRow *row, const char *name)
{
    for (unsigned i = 0; i < row->field_count; i++) {
        if (!strcmp(row->fields[i].name, name)) {
            return &row->fields[i];
        }
    }
    return NULL;
}

bool decode_row_matches(const DecodeRow *row, uint32_t insn, uint64_t features)
{
    for (unsigned i = 0; i < row->exclude_count; i++) {
        if ((insn & row->excludes[i].mask) == row->excludes[i].value) {
            return false;
        }
    }
    return (insn & row->match.mask) == row->match.value && (features & row->need) == row->need &&
        !(features & row->deny);
}

/* The operand at *text ("x.rd"), if there is one, is written and passed. */
static bool print_operand(const DecodeRow *row, const char **text, uint32_t insn, uint64_t pc,
    DecodePrintOperand *operand, char *out, size_t room)
{
    char name[32];
    int length = 0;
    const DecodeField *field;

    if (sscanf(*text, "%*[a-z].%31[a-z0-9_]%n", name, &length) != 1 || (*text)[1] != '.') {
        return false;
    }
    field = decode_row_field(row, name);
    if (!field) {
        return false;
    }
    operand(out, room, **text, decode_field(field, insn), pc);
    *text += length;
    return true;
}

void decode_print(const DecodeRow *row, uint32_t insn, uint64_t pc, DecodePrintOperand *operand,
    char *out, size_t room)
{
    bool tab = *row->print && *row->print != DECODE_JOIN;
    size_t used = snprintf(out, room, "%s%s", row->name, tab ? "\t" : "");

    for (const char *text = row->print; *text && used + 1 < room;) {
        if (print_operand(row, &text, insn, pc, operand, out + used, room - used)) {
            used += strlen(out + used);
        } else if (*text == DECODE_JOIN) {
            text++;
        } else {
            out[used++] = *text++;
            out[used] = '\0';
        }
    }
}

/* splitmix64: every seed is a good one. */
static uint64_t random_next(uint64_t *random)
{
    uint64_t z = (*random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

bool decode_random(const DecodeRow *row, uint64_t *random, uint32_t *insn)
{
    uint32_t room = row->bits == 32 ? ~UINT32_C(0) : (UINT32_C(1) << row->bits) - 1;

    for (unsigned attempt = 0; attempt < 64; attempt++) {
        *insn = ((uint32_t)random_next(random) & room & ~row->match.mask) | row->match.value;
        if (decode_row_matches(row, *insn, row->need)) {
            return true;
        }
    }
    return false;
}

uint64_t decode_feature(const DecodeTable *table, const char *name, size_t length)
{
    for (unsigned i = 0; i < table->feature_count; i++) {
        if (strlen(table->features[i]) == length && !memcmp(table->features[i], name, length)) {
            return UINT64_C(1) << i;
        }
    }
    return 0;
}

unsigned decode_model_number(uint64_t features)
{
    enum { MODEL_MAX = 1 << 16 };
    static GMutex lock;
    static GArray *known; /* of uint64_t; lives as long as the program */
    unsigned number = 0;

    g_mutex_lock(&lock);
    if (!known) {
        known = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    }
    while (number < known->len && g_array_index(known, uint64_t, number) != features) {
        number++;
    }
    if (number == known->len) {
        g_array_append_val(known, features);
    }
    g_mutex_unlock(&lock);
    g_assert(number < MODEL_MAX);
    return number;
}

/* mkdecode: no two rows may take the same instruction, and everything has to be of use. */
#include <string.h>

#include "tcg/mkdecode.h"

bool row_excludes_all(const Row *row, DecodeMatch match)
{
    for (unsigned i = 0; i < row->decode.exclude_count; i++) {
        DecodeMatch e = row->decode.excludes[i];

        if ((match.mask & e.mask) == e.mask && (match.value & e.mask) == e.value) {
            return true;
        }
    }
    return false;
}

static bool rows_overlap(const Row *a, const Row *b)
{
    DecodeMatch x = a->decode.match, y = b->decode.match;
    DecodeMatch both = { x.mask | y.mask, x.value | y.value };

    return a->decode.bits == b->decode.bits && !((x.value ^ y.value) & x.mask & y.mask) &&
        !(a->decode.need & b->decode.deny) && !(a->decode.deny & b->decode.need) &&
        !row_excludes_all(a, both) && !row_excludes_all(b, both);
}

static void check_row(Decoder *d, const Row *row)
{
    if ((row->decode.need & row->decode.deny) || row_excludes_all(row, row->decode.match)) {
        error_at(d, row->at, "row '%s' can never be reached", row->decode.name);
    }
    for (unsigned i = 0; i < row->index; i++) {
        const Row *other = d->rows->pdata[i];

        if (rows_overlap(row, other)) {
            error_at(d, row->at, "row '%s' overlaps '%s' of line %u", row->decode.name,
                other->decode.name, other->at.line);
        }
        if (!strcmp(row->function, other->function) && row->format->shape != other->format->shape) {
            error_at(d, row->at, "function '%s' takes '@%s' here, '@%s' in line %u", row->function,
                row->format->shape->name, other->format->shape->name, other->at.line);
        }
    }
}

static bool is_low(DecodeMatch match)
{
    return match.mask < 1u << MAX_LOW_BITS;
}

static void check_roots(Decoder *d)
{
    const Root *last = &d->roots[MAX(d->root_count, 1) - 1], *first = &d->roots[0];

    if (last->when.mask) {
        error_at(d, last->index.at, "there is no 'index' of the other words");
    }
    for (const Root *root = first; first != last && root <= last; root++) {
        DecodeField low = root->index.decode;
        DecodePiece top = low.pieces[0];

        low.pieces[0].length = 0;
        if (top.lsb != first->index.decode.pieces[0].lsb ||
            top.length != first->index.decode.pieces[0].length || !is_low(field_match(&low, 0)) ||
            !is_low(root->when)) {
            error_at(d, root->index.at,
                "each 'index' has to begin with the same piece, the others to be among bits 0 to "
                "%d",
                MAX_LOW_BITS - 1);
        }
    }
}

void decoder_check(Decoder *d)
{
    if (!d->prefix) {
        error_at(d, (Place){ d->at.file, 1 }, "there is no line 'isa PREFIX Prefix'");
    }
    check_roots(d);
    for (unsigned i = 0; i < d->rows->len; i++) {
        check_row(d, d->rows->pdata[i]);
    }
    for (unsigned i = 0; i < d->fields->len; i++) {
        const Field *field = d->fields->pdata[i];

        if (!field->used) {
            error_at(d, field->at, "field '%%%s' is not used", field->decode.name);
        }
    }
    for (unsigned i = 0; i < d->formats->len; i++) {
        const Format *format = d->formats->pdata[i];

        if (!format->used && format->shape == format) {
            error_at(d, format->at, "format '@%s' is not used", format->name);
        }
    }
}

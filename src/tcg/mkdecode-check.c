/* mkdecode: no two rows may take the same instruction, and everything has to be of use. */
#include <string.h>

#include "tcg/mkdecode.h"

/* Is everything that has these bits excluded from the row? */
static bool excludes_all(const Row *row, DecodeMatch match)
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
        !excludes_all(a, both) && !excludes_all(b, both);
}

static void check_row(Decoder *d, const Row *row)
{
    if ((row->decode.need & row->decode.deny) || excludes_all(row, row->decode.match)) {
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

void decoder_check(Decoder *d)
{
    if (!d->prefix) {
        error_at(d, (Place){ d->at.file, 1 }, "there is no line 'isa PREFIX Prefix'");
    }
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

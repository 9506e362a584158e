/* Lines and columns of YAML 1.1 (5.4, line breaks), found in bytes. */
#include "core/mark.h"

#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

size_t mark_break(const char *text, size_t size)
{
    static const char *const breaks[] = {
        "\r\n",
        "\n",
        "\r",
        "\xc2\x85",
        "\xe2\x80\xa8",
        "\xe2\x80\xa9",
    };

    if (size == 0 || (unsigned char)(*text - 0x0e) < 0xc2 - 0x0e) {
        return 0; /* nearly always */
    }
    for (unsigned i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
        size_t length = strlen(breaks[i]);

        if (size >= length && memcmp(text, breaks[i], length) == 0) {
            return length;
        }
    }
    return 0;
}

/* Breaks begin with one of these; all other bytes are passed over quickly. */
static size_t line_length(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = text[i];

        if ((c == '\n' || c == '\r' || c == 0xc2 || c == 0xe2) && mark_break(text + i, size - i)) {
            return i;
        }
    }
    return size;
}

size_t mark_text_start(const char *text, size_t size)
{
    size_t length = strlen(byte_order_mark);

    return size >= length && memcmp(text, byte_order_mark, length) == 0 ? length : 0;
}

const char *mark_line(const char *text, size_t size, unsigned line, size_t *length)
{
    size_t at = mark_text_start(text, size);

    for (unsigned number = 1;; number++) {
        size_t ending;

        *length = line_length(text + at, size - at);
        if (number == line) {
            return text + at;
        }
        ending = mark_break(text + at + *length, size - at - *length);
        if (ending == 0) {
            return NULL;
        }
        at += *length + ending;
    }
}

void mark_place(const char *text, size_t size, unsigned *line, unsigned *column)
{
    size_t at = mark_text_start(text, size), length = line_length(text + at, size - at), ending;

    *line = 1;
    while ((ending = mark_break(text + at + length, size - at - length)) > 0) {
        at += length + ending;
        length = line_length(text + at, size - at);
        ++*line;
    }
    *column = 1;
    for (size_t i = at; i < size; i++) {
        *column += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
}

size_t mark_offset(const char *text, size_t size, unsigned line, unsigned column)
{
    size_t length, at = 0;
    const char *start = mark_line(text, size, line, &length);

    if (!start) {
        return size;
    }
    while (at < length && column > 1) {
        at++;
        while (at < length && ((unsigned char)start[at] & 0xc0) == 0x80) {
            at++;
        }
        column--;
    }
    return start - text + at;
}

#include "ui/panic.h"

#include <string.h>

enum { LINE_LIMIT = 512 };

/* How the kernels of the field begin that line, after a time stamp perhaps. */
static const char *const openings[] = { "Kernel panic - not syncing", "panic: ", NULL };

struct PanicWatch {
    GString *line; /* the current one; at most LINE_LIMIT of it */
    char *message;
};

PanicWatch *panic_watch_new(void)
{
    PanicWatch *watch = g_new0(PanicWatch, 1);

    watch->line = g_string_new(NULL);
    return watch;
}

void panic_watch_free(PanicWatch *watch)
{
    if (watch) {
        g_string_free(watch->line, TRUE);
        g_free(watch->message);
        g_free(watch);
    }
}

/* Past "[    1.008844] ", when the line has that. */
static const char *after_time_stamp(const char *line)
{
    const char *end = line[0] == '[' ? strchr(line, ']') : NULL;

    return end && end[1] == ' ' ? end + 2 : line;
}

static void end_line(PanicWatch *watch)
{
    const char *text = after_time_stamp(watch->line->str);

    for (unsigned i = 0; openings[i] && !watch->message; i++) {
        if (g_str_has_prefix(text, openings[i])) {
            watch->message = g_utf8_make_valid(text, -1);
        }
    }
    g_string_truncate(watch->line, 0);
}

void panic_watch_feed(PanicWatch *watch, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length && !watch->message; i++) {
        if (bytes[i] == '\n') {
            end_line(watch);
        } else if (bytes[i] != '\r' && bytes[i] != '\0' && watch->line->len < LINE_LIMIT) {
            g_string_append_c(watch->line, bytes[i]);
        }
    }
}

const char *panic_watch_message(const PanicWatch *watch)
{
    return watch->message;
}

#include "core/trace.h"

#include <stdarg.h>

bool trace_on[TRACE_COUNT];

static const struct {
    const char *name, *help;
} points[TRACE_COUNT] = {
#define T(id, help) { #id, help },
#include "core/trace-points.h"
#undef T
};

static FILE *output;

static bool enable_one(const char *name)
{
    for (unsigned i = 0; i < TRACE_COUNT; i++) {
        if (g_str_equal(points[i].name, name)) {
            trace_on[i] = true;
            return true;
        }
    }
    return false;
}

static char *all_names(void)
{
    GString *names = g_string_new(NULL);

    for (unsigned i = 0; i < TRACE_COUNT; i++) {
        g_string_append_printf(names, " %s", points[i].name);
    }
    return g_string_free(names, false);
}

bool trace_enable(const char *names, GError **error)
{
    g_auto(GStrv) list = g_strsplit(names, ",", -1);

    for (unsigned i = 0; list[i]; i++) {
        if (!enable_one(list[i])) {
            g_autofree char *known = all_names();

            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                "no trace point is called '%s'; there are:%s", list[i], known);
            return false;
        }
    }
    return true;
}

void trace_set_output(FILE *out)
{
    output = out;
}

void trace_list(FILE *out)
{
    for (unsigned i = 0; i < TRACE_COUNT; i++) {
        fprintf(out, "  %-10s %s\n", points[i].name, points[i].help);
    }
}

void trace_write(TracePoint point, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = g_strdup_vprintf(fmt, args);
    va_end(args);
    /* One call: stdio locks the stream for its length. */
    fprintf(output ? output : stderr, "%s: %s\n", points[point].name, text);
}

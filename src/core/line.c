#include "core/line.h"

struct Line {
    LineSink sink;
    void *owner;
    unsigned index;
    bool level;
};

Line *line_new(LineSink sink, void *owner, unsigned index)
{
    Line *line = g_new0(Line, 1);

    line->sink = sink;
    line->owner = owner;
    line->index = index;
    return line;
}

void line_free(Line *line)
{
    g_free(line);
}

void line_set(Line *line, bool level)
{
    if (line && line->level != level) {
        line->level = level;
        line->sink(line->owner, line->index, level);
    }
}

bool line_level(const Line *line)
{
    return line && line->level;
}

struct LineOr {
    Line *output;
    unsigned high; /* how many inputs are */
    GPtrArray *inputs;
};

static void input_changed(void *owner, unsigned index, bool level)
{
    LineOr *gate = owner;

    gate->high += level ? 1 : -1;
    line_set(gate->output, gate->high > 0);
}

void line_restore(Line *line, bool level)
{
    if (line && line->level != level) {
        line->level = level;
        if (line->sink == input_changed) {
            ((LineOr *)line->owner)->high += level ? 1 : -1;
        }
    }
}

static void free_input(void *line)
{
    line_free(line);
}

LineOr *line_or_new(Line *output)
{
    LineOr *gate = g_new0(LineOr, 1);

    gate->output = output;
    gate->inputs = g_ptr_array_new_with_free_func(free_input);
    return gate;
}

Line *line_or_input(LineOr *gate)
{
    Line *line = line_new(input_changed, gate, gate->inputs->len);

    g_ptr_array_add(gate->inputs, line);
    return line;
}

void line_or_free(LineOr *gate)
{
    if (gate) {
        g_ptr_array_unref(gate->inputs);
        g_free(gate);
    }
}

#include "cli/img/json.h"

#include <inttypes.h>

void json_append_text(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            g_string_append_printf(out, "\\%c", *c);
        } else if ((unsigned char)*c < 0x20) {
            g_string_append_printf(out, "\\u%04x", *c);
        } else {
            g_string_append_c(out, *c);
        }
    }
    g_string_append_c(out, '"');
}

void json_add_name(GString *out, const char *name)
{
    char last = out->len ? out->str[out->len - 1] : '{';

    if (last != '{' && last != '[') {
        g_string_append(out, ", ");
    }
    json_append_text(out, name);
    g_string_append(out, ": ");
}

void json_add_text(GString *out, const char *name, const char *text)
{
    json_add_name(out, name);
    json_append_text(out, text);
}

void json_add_number(GString *out, const char *name, uint64_t value)
{
    json_add_name(out, name);
    g_string_append_printf(out, "%" PRIu64, value);
}

void json_add_switch(GString *out, const char *name, bool value)
{
    json_add_name(out, name);
    g_string_append(out, value ? "true" : "false");
}

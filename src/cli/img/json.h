/* Facts about an image, printed for people or as one JSON object. */
#ifndef CLI_IMG_JSON_H
#define CLI_IMG_JSON_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A text in quotes, with what JSON wants escaped. */
void json_append_text(GString *out, const char *text);

/* `, "name": value`, without the comma after an opening brace. */
void json_add_text(GString *out, const char *name, const char *text);
void json_add_number(GString *out, const char *name, uint64_t value);
void json_add_switch(GString *out, const char *name, bool value);
/* The name alone; the value is appended by the caller. */
void json_add_name(GString *out, const char *name);

#endif

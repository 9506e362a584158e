/*
 * One table of readings for YAML 1.1 (yaml.org/type, with the float of its implementations: 1.2.3
 * is none) and one for the core schema of YAML 1.2.2, 10.3.2. The first row that matches counts.
 */
#include "config/scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Reading {
    bool (*matches)(const char *text);
    NodeKind kind;
    const char *name;
} Reading;

#define DIGITS "0123456789"
#define HEX "0123456789abcdefABCDEF"

static bool all_of(const char *text, const char *set)
{
    return *text && text[strspn(text, set)] == '\0';
}

static const char *past_sign(const char *text)
{
    return text + (*text == '-' || *text == '+');
}

static bool one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_null(const char *text)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };

    return one_of(text, words);
}

static bool is_truth(const char *text)
{
    static const char *const words[] = { "true", "True", "TRUE", "false", "False", "FALSE", NULL };

    return one_of(text, words);
}

static bool is_old_truth(const char *text)
{
    static const char *const words[] = {
        "y",
        "Y",
        "yes",
        "Yes",
        "YES",
        "n",
        "N",
        "no",
        "No",
        "NO",
        "on",
        "On",
        "ON",
        "off",
        "Off",
        "OFF",
        NULL,
    };

    return one_of(text, words);
}

static bool is_decimal(const char *text)
{
    text = past_sign(text);
    return all_of(text, DIGITS);
}

static bool is_hex(const char *text)
{
    return strncmp(text, "0x", 2) == 0 && all_of(text + 2, HEX);
}

static bool is_octal(const char *text)
{
    return strncmp(text, "0o", 2) == 0 && all_of(text + 2, "01234567");
}

static bool is_infinity(const char *text)
{
    static const char *const words[] = { ".inf", ".Inf", ".INF", NULL };

    return one_of(past_sign(text), words);
}

static bool is_nan(const char *text)
{
    static const char *const words[] = { ".nan", ".NaN", ".NAN", NULL };

    return one_of(text, words);
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_real(const char *text)
{
    size_t whole, fraction = 0;

    text = past_sign(text);
    whole = strspn(text, DIGITS);
    text += whole;
    if (*text == '.') {
        fraction = strspn(text + 1, DIGITS);
        text += 1 + fraction;
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (*text == 'e' || *text == 'E') {
        return all_of(past_sign(text + 1), DIGITS);
    }
    return *text == '\0';
}

static bool is_old_decimal(const char *text)
{
    text = past_sign(text);
    return strcmp(text, "0") == 0 || (*text >= '1' && *text <= '9' && all_of(text, DIGITS "_"));
}

static bool is_old_octal(const char *text)
{
    text = past_sign(text);
    return *text == '0' && all_of(text + 1, "01234567_");
}

static bool is_old_binary(const char *text)
{
    text = past_sign(text);
    return strncmp(text, "0b", 2) == 0 && all_of(text + 2, "01_");
}

static bool is_old_hex(const char *text)
{
    text = past_sign(text);
    return strncmp(text, "0x", 2) == 0 && all_of(text + 2, HEX "_");
}

/* [-+]? [0-9][0-9_]* ( : [0-5]?[0-9] )+ ( \. [0-9_]* )? */
static bool is_base_60(const char *text)
{
    unsigned parts = 0;

    text = past_sign(text);
    if (strspn(text, DIGITS) == 0) {
        return false;
    }
    text += strspn(text, DIGITS "_");
    for (; *text == ':'; parts++) {
        size_t digits = strspn(text + 1, DIGITS);

        if (digits < 1 || digits > 2 || (digits == 2 && text[1] > '5')) {
            return false;
        }
        text += 1 + digits;
    }
    return parts && (*text == '\0' || (*text == '.' && (!text[1] || all_of(text + 1, DIGITS "_"))));
}

/* [-+]? ( [0-9][0-9_]* )? \. [0-9_]* ( [eE] [-+] [0-9]+ )? with a digit somewhere */
static bool is_old_real(const char *text)
{
    size_t whole, fraction;

    text = past_sign(text);
    whole = *text == '_' ? 0 : strspn(text, DIGITS "_");
    text += whole;
    if (*text++ != '.') {
        return false;
    }
    fraction = strspn(text, DIGITS "_");
    if (whole == 0 && (fraction == 0 || *text == '_')) {
        return false;
    }
    text += fraction;
    if (*text == 'e' || *text == 'E') {
        return (text[1] == '-' || text[1] == '+') && all_of(text + 2, DIGITS);
    }
    return *text == '\0';
}

/* Moves past 1 to `most` digits and what follows them; false if they are not there. */
static bool take_digits(const char **text, size_t most, char then)
{
    size_t digits = strspn(*text, DIGITS);

    *text += digits;
    if (digits < 1 || digits > most || (then && *(*text)++ != then)) {
        return false;
    }
    return true;
}

/* yyyy-m-d, alone or followed by T, t or a blank and a time. */
static bool is_date(const char *text)
{
    return strspn(text, DIGITS) == 4 && take_digits(&text, 4, '-') && take_digits(&text, 2, '-') &&
        take_digits(&text, 2, '\0') && strchr("Tt \t", *text) != NULL;
}

static bool is_default_value(const char *text)
{
    return strcmp(text, "=") == 0;
}

static const Reading old_readings[] = {
    { is_null, NODE_NULL, "nothing" },
    { is_truth, NODE_BOOL, "a truth value" },
    { is_old_truth, NODE_BOOL, "a truth value" },
    { is_old_decimal, NODE_INT, "a decimal number" },
    { is_old_octal, NODE_INT, "an octal number" },
    { is_hex, NODE_INT, "a hexadecimal number" },
    { is_old_hex, NODE_INT, "a signed or grouped hexadecimal number" },
    { is_old_binary, NODE_INT, "a binary number" },
    { is_base_60, NODE_INT, "a number in base 60" },
    { is_infinity, NODE_FLOAT, "infinity" },
    { is_nan, NODE_FLOAT, "no number" },
    { is_old_real, NODE_FLOAT, "a fraction" },
    { is_date, NODE_STRING, "a date" },
    { is_default_value, NODE_STRING, "a default" },
    { NULL, NODE_STRING, "a text" },
};

static const Reading new_readings[] = {
    { is_null, NODE_NULL, "nothing" },
    { is_truth, NODE_BOOL, "a truth value" },
    { is_decimal, NODE_INT, "a decimal number" },
    { is_octal, NODE_INT, "an octal number" },
    { is_hex, NODE_INT, "a hexadecimal number" },
    { is_infinity, NODE_FLOAT, "infinity" },
    { is_nan, NODE_FLOAT, "no number" },
    { is_real, NODE_FLOAT, "a fraction" },
    { NULL, NODE_STRING, "a text" },
};

static const Reading *reading_of(const Reading *readings, const char *text)
{
    while (readings->matches && !readings->matches(text)) {
        readings++;
    }
    return readings;
}

static bool agree(const Reading *old, const Reading *now)
{
    return strcmp(old->name, now->name) == 0;
}

static bool read_int(Node *node)
{
    const char *digits = past_sign(node->scalar.text);
    int base = is_hex(digits) ? 16 : 10;

    node->negative = *node->scalar.text == '-';
    errno = 0;
    node->scalar.magnitude = strtoull(digits + (base == 16 ? 2 : 0), NULL, base);
    return errno == 0;
}

static double read_real(const char *text)
{
    const char *digits = past_sign(text);

    if (is_infinity(text)) {
        return *text == '-' ? -INFINITY : INFINITY;
    }
    return is_nan(digits) ? NAN : g_ascii_strtod(text, NULL);
}

/* Most plain scalars are words: no row but "a text" starts with these characters. */
static bool is_plainly_text(const char *text)
{
    return *text && !strchr("-+.0123456789~=yYnNtTfFoO", *text);
}

ScalarReading scalar_read(Node *node)
{
    const char *text = node->scalar.text;
    ScalarReading result = { .kind = NODE_STRING };
    const Reading *old, *now;

    node->kind = NODE_STRING;
    if (is_plainly_text(text)) {
        return result;
    }
    old = reading_of(old_readings, text);
    now = reading_of(new_readings, text);
    if (!agree(old, now)) {
        return (ScalarReading){ SCALAR_AMBIGUOUS, now->kind, old->name, now->name };
    }
    node->kind = result.kind = now->kind;
    if (now->kind == NODE_INT) {
        result.verdict = read_int(node) ? SCALAR_CLEAR : SCALAR_TOO_LARGE;
    } else if (now->kind == NODE_FLOAT) {
        node->scalar.real = read_real(text);
    } else if (now->kind == NODE_BOOL) {
        node->scalar.magnitude = *text == 't' || *text == 'T';
    }
    return result;
}

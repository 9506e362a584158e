/* A line for each report, in two languages. */
#include "cli/report.h"

#include <string.h>

static const char *severity_name(const DiagReport *report)
{
    return report->severity == DIAG_ERROR_LEVEL ? "error" : "warning";
}

/* ---- JSON ---- */

static void put_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, ", \"%s\": \"", key);
    for (; *text; text++) {
        unsigned char c = *text;

        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < 0x20) {
            fprintf(out, "\\u%04x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

static void take_json(void *data, const DiagReport *report)
{
    FILE *out = data;

    fprintf(out,
        "{ \"severity\": \"%s\", \"code\": \"E%u\", \"line\": %u, \"column\": %u, \"width\": %u",
        severity_name(report), diag_kind(report->code)->number, report->at.line, report->at.column,
        report->at.width);
    put_text(out, "slug", diag_kind(report->code)->slug);
    put_text(out, "file", report->at.file ? report->at.file : "");
    put_text(out, "message", report->text);
    if (report->hint) {
        put_text(out, "hint", report->hint);
    }
    if (report->fix) {
        put_text(out, "fix", report->fix);
    }
    fputs(" }\n", out);
}

void report_json(const Diag *diag, FILE *out)
{
    diag_each(diag, take_json, out);
}

/* ---- GitHub ---- */

/* "Workflow commands for GitHub Actions": %, line ends, and in properties : and , are escaped. */
static void put_escaped(FILE *out, const char *text, const char *also)
{
    for (; *text; text++) {
        if (strchr("%\r\n", *text) || strchr(also, *text)) {
            fprintf(out, "%%%02X", (unsigned char)*text);
        } else {
            fputc(*text, out);
        }
    }
}

static void take_github(void *data, const DiagReport *report)
{
    FILE *out = data;

    fprintf(out, "::%s file=", severity_name(report));
    put_escaped(out, report->at.file ? report->at.file : "", ":,");
    fprintf(out, ",line=%u,col=%u,title=E%u::", report->at.line, report->at.column,
        diag_kind(report->code)->number);
    put_escaped(out, report->text, "");
    fputs(report->hint ? ": " : "", out);
    put_escaped(out, report->hint ? report->hint : "", "");
    fputc('\n', out);
}

void report_github(const Diag *diag, FILE *out)
{
    diag_each(diag, take_github, out);
}

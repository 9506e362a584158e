/* A line for each report, in three languages. */
#include "cli/report.h"

#include <string.h>

#include "core/version.h"

static const char *severity_name(const DiagReport *report)
{
    return report->severity == DIAG_ERROR_LEVEL ? "error" : "warning";
}

/* ---- JSON ---- */

static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
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

static void put_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, ", \"%s\": ", key);
    put_string(out, text);
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

/* ---- SARIF ---- */

/* "Static Analysis Results Interchange Format 2.1.0": every kind is a rule, every report a result. */
static void put_sarif_head(FILE *out)
{
    const char *separator = "";

    fputs("{ \"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\", \"version\": "
          "\"2.1.0\",\n"
          "  \"runs\": [{ \"columnKind\": \"unicodeCodePoints\",\n"
          "    \"tool\": { \"driver\": { \"name\": \"lathe\", \"version\": \"" LATHE_VERSION "\",\n"
          "      \"rules\": [",
        out);
    for (unsigned i = 0; i < DIAG_CODE_COUNT; i++) {
        const DiagKind *kind = diag_kind(i);

        fprintf(out, "%s\n        { \"id\": \"E%u\"", separator, kind->number);
        put_text(out, "name", kind->slug);
        fputs(", \"shortDescription\": { \"text\": ", out);
        put_string(out, kind->help);
        fputs(" } }", out);
        separator = ",";
    }
    fputs("] } },\n    \"results\": [", out);
}

typedef struct SarifWriter {
    FILE *out;
    bool any; /* a result has been written */
} SarifWriter;

/* A fix is a replacement of the same region. */
static void put_region(FILE *out, const char *key, const Mark *at)
{
    unsigned line = MAX(at->line, 1), column = MAX(at->column, 1);

    fprintf(out, "\"%s\": { \"startLine\": %u, \"startColumn\": %u", key, line, column);
    if (at->width && at->width < G_MAXUINT16) {
        fprintf(out, ", \"endColumn\": %u", column + at->width);
    }
    fputs(" }", out);
}

static void put_sarif_fix(FILE *out, const DiagReport *report)
{
    fputs(
        ",\n        \"fixes\": [{ \"artifactChanges\": [{ \"artifactLocation\": { \"uri\": ", out);
    put_string(out, report->at.file);
    fputs(" },\n          \"replacements\": [{ ", out);
    put_region(out, "deletedRegion", &report->at);
    fputs(", \"insertedContent\": { \"text\": ", out);
    put_string(out, report->fix);
    fputs(" } }] }] }]", out);
}

static void take_sarif(void *data, const DiagReport *report)
{
    SarifWriter *writer = data;
    FILE *out = writer->out;
    g_autofree char *text = report->hint ? g_strdup_printf("%s: %s", report->text, report->hint)
                                         : g_strdup(report->text);

    fprintf(out, "%s\n      { \"ruleId\": \"E%u\", \"ruleIndex\": %u, \"level\": \"%s\",\n",
        writer->any ? "," : "", diag_kind(report->code)->number, report->code,
        severity_name(report));
    fputs("        \"message\": { \"text\": ", out);
    put_string(out, text);
    fputs(" }", out);
    if (report->at.file) {
        fputs(",\n        \"locations\": [{ \"physicalLocation\": { \"artifactLocation\": { "
              "\"uri\": ",
            out);
        put_string(out, report->at.file);
        fputs(" },\n          ", out);
        put_region(out, "region", &report->at);
        fputs(" } }]", out);
    }
    if (report->at.file && report->fix) {
        put_sarif_fix(out, report);
    }
    fputs(" }", out);
    writer->any = true;
}

void report_sarif(const Diag *const *diags, unsigned count, FILE *out)
{
    SarifWriter writer = { .out = out };

    put_sarif_head(out);
    for (unsigned i = 0; i < count; i++) {
        diag_each(diags[i], take_sarif, &writer);
    }
    fputs("] }] }\n", out);
}

/* The command line as a whole: QEMU's order of evaluation (DRIVE.md, 2). */
#include "config/legacy/legacy.h"

#include <stdarg.h>
#include <string.h>

#include "config/legacy/attach.h"
#include "config/legacy/drives.h"
#include "config/legacy/links.h"
#include "config/legacy/machines.h"
#include "config/legacy/networks.h"
#include "config/legacy/nodes.h"
#include "config/legacy/options.h"
#include "config/legacy/values.h"
#include "config/suggest.h"

const char *const fidelity_names[] = { "exact", "close", "lost" };

Legacy *legacy_new(const Source *source, LegacyAs as, const LegacyFiles *files, Diag *diag)
{
    Arena *arena = arena_create();
    Legacy *l = ARENA_NEW(arena, Legacy);
    GPtrArray **lists[] = { &l->drive_options, &l->blockdevs, &l->devices, &l->netdevs, &l->nets,
        &l->chardevs, &l->objects, &l->globals, &l->serials, &l->drives, &l->nodes, &l->others,
        &l->networks, &l->bus_list };

    l->arena = arena;
    l->source = source;
    l->as = as;
    l->files = files ? *files : legacy_host_files;
    l->diag = diag;
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        *lists[i] = g_ptr_array_new();
    }
    l->bus_names = g_hash_table_new(g_str_hash, g_str_equal);
    l->notes = g_array_new(false, false, sizeof(LegacyNote));
    l->said = g_array_new(false, false, sizeof(LegacySaid));
    l->machine_merged = opts_new("-machine", (Span){ 0 }, arena);
    l->cpus = 1;
    return l;
}

void legacy_free(Legacy *l)
{
    if (l) {
        GPtrArray *lists[] = { l->drive_options, l->blockdevs, l->devices, l->netdevs, l->nets,
            l->chardevs, l->objects, l->globals, l->serials, l->drives, l->nodes, l->others,
            l->networks, l->bus_list };

        for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
            g_ptr_array_unref(lists[i]);
        }
        g_hash_table_unref(l->bus_names);
        g_array_unref(l->notes);
        g_array_unref(l->said);
        arena_free(l->arena);
    }
}

/* ---- what is said ---- */

bool legacy_refuse(Legacy *l, DiagCode code, Span at, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return diag_error(l->diag, code, span_mark(l->source, at), "%s", text);
}

/* The option that stands at a span; a part of one is taken from the source. */
static const char *text_at(const Legacy *l, Span at)
{
    size_t size;
    const char *text = g_bytes_get_data(l->source->text, &size);
    char *copy;

    for (unsigned i = 0; i < l->said->len; i++) {
        const LegacySaid *said = &g_array_index(l->said, LegacySaid, i);

        if (at.from == said->at.from && at.to == said->at.to) {
            return said->text;
        }
    }
    at.from = MIN(at.from, size);
    at.to = CLAMP(at.to, at.from, size);
    copy = arena_text(l->arena, text + at.from, at.to - at.from);
    return g_strdelimit(copy, "\n\r\t", ' ');
}

void legacy_note(Legacy *l, Fidelity fidelity, Span at, const char *path, const char *format, ...)
{
    LegacyNote note = { fidelity, at, text_at(l, at), path, NULL };

    if (format) {
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        note.text = arena_text(l->arena, text, strlen(text));
    }
    g_array_append_val(l->notes, note);
}

Fidelity legacy_fidelity(const Legacy *l)
{
    Fidelity worst = EXACT;

    for (unsigned i = 0; i < l->notes->len; i++) {
        worst = MAX(worst, g_array_index(l->notes, LegacyNote, i).fidelity);
    }
    return worst;
}

LegacyDrive *legacy_drive_find(const Legacy *l, const char *id)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        LegacyDrive *drive = g_ptr_array_index(l->drives, i);

        if (*drive->id && strcmp(drive->id, id) == 0) {
            return drive;
        }
    }
    return NULL;
}

LegacyNode *legacy_node_find(const Legacy *l, const char *name)
{
    for (unsigned i = 0; i < l->nodes->len; i++) {
        LegacyNode *node = g_ptr_array_index(l->nodes, i);

        if (strcmp(node->name, name) == 0) {
            return node;
        }
    }
    return NULL;
}

/* ---- the program ---- */

static bool take_program(Legacy *l, const Word *word)
{
    static const struct {
        const char *name, *program;
    } short_names[] = { { "qemu", "qemu-system-i386" }, { "kvm", "qemu-system-x86_64" },
        { "qemu-kvm", "qemu-system-x86_64" } };
    g_autofree char *base = g_path_get_basename(word->text);

    l->program = arena_text(l->arena, base, strlen(base));
    l->machine_at = word_span(word, 0, word->length);
    for (unsigned i = 0; i < G_N_ELEMENTS(short_names); i++) {
        if (strcmp(base, short_names[i].name) == 0) {
            l->program = short_names[i].program;
        }
    }
    l->arch = g_str_has_prefix(l->program, "qemu-system-") ? l->program + strlen("qemu-system-")
                                                           : "";
    if (strcmp(l->arch, "x86_64-microvm") == 0) {
        l->arch = "x86_64";
    }
    if (!qemu_arch_known(l->arch)) {
        return legacy_refuse(l, DIAG_LEGACY_OPTION, word_span(word, 0, word->length),
            "`%s` is no program of QEMU that runs machines", word->text);
    }
    return true;
}

static bool refuse_option(Legacy *l, const Word *word, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    legacy_refuse(l, DIAG_LEGACY_OPTION, word_span(word, 0, word->length),
        "`%s` is no option of QEMU", word->text);
    option_names(names);
    near = suggest(name, names);
    if (near) {
        diag_hint(l->diag, "did you mean `-%s`?", near);
    }
    return false;
}

/* An option of another time. */
static bool refuse_age(Legacy *l, Span span, const QemuOption *option)
{
    bool now = l->as == AS_7_2;

    legacy_refuse(l, DIAG_LEGACY_OPTION, span,
        now ? "`-%s` was removed from QEMU" : "QEMU had no `-%s` in 2011", option->name);
    if (option_exists(option, now ? AS_2011 : AS_7_2)) {
        diag_hint(l->diag, "--as=%s takes it", now ? "2011" : "7.2");
    }
    return false;
}

static void remember(Legacy *l, Span span, const Word *word, const Word *argument)
{
    LegacySaid said = {
        .at = span, .word = word->text, .argument = argument ? argument->text : NULL
    };

    said.text = argument ? arena_printf(l->arena, "%s %s", said.word, said.argument) : said.word;
    g_array_append_val(l->said, said);
}

/* Takes the option at `*at`, and its argument. */
static bool take_option(Legacy *l, const GArray *words, unsigned *at)
{
    const Word *word = &g_array_index(words, Word, *at), *argument = NULL;
    const char *name = word->text + 1 + (word->text[1] == '-');
    const QemuOption *option = option_find(name);
    Span span = word_span(word, 0, word->length);

    if (!option) {
        return refuse_option(l, word, name);
    }
    if (!option_exists(option, l->as)) {
        return refuse_age(l, span, option);
    }
    if (!option_is_for(option, l->as, l->arch)) {
        return legacy_refuse(
            l, DIAG_LEGACY_OPTION, span, "`%s` is no option of %s", word->text, l->program);
    }
    if (option->argument) {
        if (++*at >= words->len) {
            return legacy_refuse(l, DIAG_LEGACY_OPTION, span, "`%s` needs an argument", word->text);
        }
        argument = &g_array_index(words, Word, *at);
        span.to = MAX(span.to, word_span(argument, 0, argument->length).to);
    }
    remember(l, span, word, argument);
    if (argument && l->as == AS_7_2 && !values_check(l, option->name, argument)) {
        return false;
    }
    if (option->take) {
        return option->take(l, option, argument, span);
    }
    legacy_note(l, option->fidelity, span, "", option->reason ? "%s" : NULL, option->reason);
    return true;
}

static bool take_words(Legacy *l, const GArray *words)
{
    for (unsigned i = 1; i < words->len; i++) {
        const Word *word = &g_array_index(words, Word, i);

        if (word->text[0] == '-' && word->length > 0
                ? !take_option(l, words, &i)
                : !add_shorthand(l, "hda", word, word_span(word, 0, word->length))) {
            return false;
        }
    }
    return true;
}

/* These have transactional memory, which an emulated POWER8 has not. */
static bool needs_transactions(const Legacy *l)
{
    static const char *const versions[] = { "pseries-2.8", "pseries-2.9", "pseries-2.10",
        "pseries-2.11", NULL };

    return g_strv_contains(versions, l->machine) && !opts_find(l->machine_merged, "cap-htm");
}

static bool check_machine(Legacy *l)
{
    if (needs_transactions(l)) {
        legacy_refuse(l, DIAG_LEGACY_OPTION, l->machine_at,
            "the CPUs of `%s` would need transactional memory", l->machine);
        diag_hint(l->diag, "cap-htm=off behind the machine's name leaves it out");
        return false;
    }
    return !qemu_board_claims(l->board, "needs-kernel") || l->kernel || l->bios ||
        legacy_refuse(
            l, DIAG_LEGACY_OPTION, l->machine_at, "`%s` needs -kernel or -bios", l->machine);
}

static bool choose_machine(Legacy *l)
{
    const Opt *type = opts_get(l->machine_merged, "type");
    const char *name = type ? type->value : NULL;

    l->machine_at = type ? type->value_at : l->machine_at;
    l->board = qemu_board_find(l->arch, name);
    if (!l->board) {
        return legacy_refuse(l, DIAG_LEGACY_OPTION, l->machine_at,
            name ? "`%2$s` is no machine of %1$s" : "%1$s has no default machine: -M is missing",
            l->program, name);
    }
    l->machine = qemu_board_canonical(l->board, name);
    return check_machine(l) && machines_check(l);
}

bool legacy_read(Legacy *l, const GArray *words)
{
    if (!take_program(l, &g_array_index(words, Word, 0)) || !take_words(l, words) ||
        !choose_machine(l)) {
        return false;
    }
    for (unsigned i = 0; i < l->blockdevs->len; i++) {
        if (!nodes_blockdev(l, g_ptr_array_index(l->blockdevs, i))) {
            return false;
        }
    }
    return drives_read(l) && attach_all(l) && networks_read(l) && links_check(l);
}

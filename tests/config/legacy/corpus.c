/*
 * Command lines, and what QEMU 7.2 made of each: do we say the same?
 *
 * A corpus is NAME.tsv (id, command line, source, files as JSON) beside NAME.expected.jsonl (what
 * QEMU answered, a line for each). Those in tests/config/legacy/corpus/ are ours; a checkout beside
 * this one may have more in ../shared/corpus/drive, and LEGACY_CORPUS names another folder.
 */
#include <glib.h>
#include <string.h>

#include "config/events.h"
#include "config/legacy/drives.h"
#include "config/legacy/json.h"
#include "config/legacy/legacy.h"
#include "config/legacy/qemu.h"
#include "config/legacy/throttle.h"
#include "config/legacy/yaml.h"
#include "tests/test.h"

/* The world in which QEMU was asked: every file that a line names was there, 64 MiB, empty. */
typedef struct World {
    const Opts *expected;
    const Opts *files; /* beside the line: "c.cfg" and its text */
    const char *line;
    Arena *arena;
} World;

static const char *value_of(const Opts *opts, const char *key)
{
    const Opt *opt = opts_find(opts, key);

    return opt ? opt->value : NULL;
}

/* Formats that could not be made: their files were raw. */
static bool asks_for_unmade_format(const char *line)
{
    static const char *const unmade[] = { "=dmg", "=bochs", "=cloop", "=luks" };

    for (unsigned i = 0; i < G_N_ELEMENTS(unmade); i++) {
        if (strstr(line, unmade[i])) {
            return true;
        }
    }
    return false;
}

/* `,filename=a.img` of a protocol: what the name says was made; elsewhere, what the format says. */
static const char *made_by_name(const char *line, const char *path)
{
    g_autofree char *key = g_strdup_printf(",filename=%s", path);

    return strstr(line, key) ? legacy_format_by_name(path) : NULL;
}

/* Names that the oracle makes no file for. */
static bool is_called_missing(const char *path)
{
    return g_regex_match_simple("(^|/)(missing|nonexist|does-not-exist|nosuch)", path, 0, 0);
}

static bool look(void *data, const char *path, FileFacts *facts)
{
    const World *world = data;
    g_autofree char *key = g_strdup_printf("image_sizes.%s", path);
    const char *size = value_of(world->expected, key);

    *facts = (FileFacts){ .kind = FILE_REGULAR };
    if (is_called_missing(path)) {
        facts->kind = FILE_ABSENT;
    } else if (strcmp(path, "on") == 0 && strstr(world->line, "file") &&
        !strstr(world->line, "file=on")) {
        facts->kind = FILE_ABSENT; /* `-drive file`: nobody named it */
    } else if (strcmp(path, "cfg") == 0 || path[strcspn(path, ":/")] == ':') {
        facts->kind = FILE_ABSENT;
    } else if (g_str_has_suffix(path, "/")) {
        facts->kind = FILE_FOLDER;
    }
    facts->size = size ? g_ascii_strtoull(size, NULL, 10) : 64 << 20;
    facts->format = asks_for_unmade_format(world->line) ? "raw" : made_by_name(world->line, path);
    facts->header = true;
    return true;
}

static char *read_file(void *data, const char *path, GError **error)
{
    const World *world = data;
    const char *text = world->files ? value_of(world->files, path) : NULL;

    if (!text) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "no such file");
    }
    return g_strdup(text);
}

/* ---- comparing ---- */

typedef struct Comparison {
    const Opts *expected;
    unsigned drive;
    GString *differences;
} Comparison;

static const char *expected_of(const Comparison *c, const char *key)
{
    g_autofree char *full = g_strdup_printf("drives.%u.%s", c->drive, key);

    return value_of(c->expected, full);
}

static void differ(Comparison *c, const char *key, const char *theirs, const char *ours)
{
    g_string_append_printf(c->differences, " drive %u %s: theirs %s, ours %s;", c->drive, key,
        theirs ? theirs : "-", ours ? ours : "-");
}

static void same_text(Comparison *c, const char *key, const char *ours)
{
    const char *theirs = expected_of(c, key);

    if (g_strcmp0(theirs, ours) != 0) {
        differ(c, key, theirs, ours);
    }
}

/* Only where they have said something. */
static void same_if_said(Comparison *c, const char *key, const char *ours)
{
    if (expected_of(c, key)) {
        same_text(c, key, ours);
    }
}

static void same_bool(Comparison *c, const char *key, bool ours)
{
    same_if_said(c, key, ours ? "on" : "off");
}

static void same_number(Comparison *c, const char *key, int64_t ours)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, ours);

    same_text(c, key, ours < 0 ? NULL : text);
}

static void compare_throttle(Comparison *c, const LegacyDrive *drive)
{
    static const char *const names[2][3] = { { "bps", "bps_rd", "bps_wr" },
        { "iops", "iops_rd", "iops_wr" } };
    const LegacyThrottle *t = &drive->throttle;
    bool on = throttle_is_on(t);

    same_text(c, "throttle.group", on ? t->group : NULL);
    for (unsigned i = 0; i < 6; i++) {
        g_autofree char *plain = g_strdup_printf("throttle.%s", names[i / 3][i % 3]);
        g_autofree char *burst = g_strdup_printf("%s_max", plain);
        int64_t limit = t->limit[i / 3][i % 3], most = t->burst[i / 3][i % 3];

        same_number(c, plain, on && limit ? limit : -1);
        same_number(c, burst, on && most ? most : -1);
    }
    same_number(c, "throttle.iops_size", on && t->iops_size ? (int64_t)t->iops_size : -1);
}

/*
 * A path, or nothing when theirs is a description in JSON. What they took for a snapshot's scratch
 * file because of a name below it is not compared.
 */
static void compare_file(Comparison *c, const LegacyNode *node)
{
    const char *theirs = expected_of(c, "file"), *overlay = expected_of(c, "overlay");

    if (!overlay || strcmp(overlay, "temporary qcow2") == 0) {
        same_text(c, "format", node->driver);
    }
    if (theirs && !g_str_has_prefix(theirs, "json:") && strcmp(theirs, node->file) != 0) {
        differ(c, "file", theirs, node->file);
    }
}

static void compare_medium(Comparison *c, const LegacyDrive *drive)
{
    const LegacyNode *node = drive->node;

    same_bool(c, "inserted", node != NULL);
    if (!node) {
        return;
    }
    compare_file(c, node);
    same_bool(c, "read_only", drives_read_only(drive));
    same_bool(c, "cache.direct", node->direct && !drive->snapshot);
    same_bool(c, "cache.no-flush", node->no_flush || drive->snapshot);
    same_bool(c, "cache.writeback",
        drive->front && drive->front->write_cache >= 0 ? drive->front->write_cache
                                                       : drive->writeback);
    same_text(c, "detect_zeroes", drive->detect_zeroes);
    same_text(c, "node_name", drive->snapshot ? NULL : node->name);
    same_if_said(c, "base_cache.direct", drive->snapshot && node->direct ? "on" : "off");
    if (*drive->id) {
        same_if_said(c, "aio", drive->aio);
        same_if_said(c, "discard", drive->unmap ? "unmap" : "ignore");
        same_bool(c, "snapshot", drive->snapshot);
    }
    compare_throttle(c, drive);
}

static void compare_front(Comparison *c, const LegacyDrive *drive)
{
    const LegacyFront *front = drive->front;

    same_bool(c, "removable", front ? front->removable : true);
    if (!front || !front->type || !expected_of(c, "attached.0.type")) {
        if (expected_of(c, "attached.0.type")) {
            differ(c, "device", expected_of(c, "attached.0.type"), NULL);
        }
        return;
    }
    same_text(c, "attached.0.type", front->type);
    same_text(c, "attached.0.bus", front->bus);
    same_number(c, "attached.0.props.unit", front->unit);
    same_number(c, "attached.0.props.scsi-id", front->scsi_id);
    same_number(c, "attached.0.props.lun", front->lun);
    if (strcmp(front->type, "riscv.sifive.u.otp") != 0) { /* its serial is a number of its own */
        same_text(
            c, "attached.0.props.serial", front->serial && *front->serial ? front->serial : NULL);
    }
    same_if_said(c, "werror",
        front->werror       ? front->werror
            : drive->werror ? drive->werror
                            : "enospc");
    same_if_said(c, "rerror",
        front->rerror       ? front->rerror
            : drive->rerror ? drive->rerror
                            : "report");
}

/* The drive that they mean: by id, or the n-th without one. */
static const LegacyDrive *counterpart(const Legacy *l, const char *id, unsigned nameless)
{
    for (unsigned i = 0; i < l->drives->len; i++) {
        const LegacyDrive *drive = g_ptr_array_index(l->drives, i);

        if (strcmp(drive->id, id) == 0 && (*id || nameless-- == 0)) {
            return drive;
        }
    }
    return NULL;
}

static void compare_drives(Comparison *c, const Legacy *l)
{
    unsigned nameless = 0;
    const char *id;

    for (c->drive = 0; (id = expected_of(c, "id")); c->drive++) {
        const LegacyDrive *drive = counterpart(l, id, *id ? 0 : nameless++);

        if (!drive) {
            differ(c, "id", id, NULL);
            continue;
        }
        compare_medium(c, drive);
        compare_front(c, drive);
    }
    if (c->drive != l->drives->len) {
        g_string_append_printf(
            c->differences, " theirs has %u drives, ours %u;", c->drive, l->drives->len);
    }
}

/* ---- one line ---- */

static Opts *read_json(const char *text, Arena *arena)
{
    unsigned length = strlen(text);
    Word word = { text, length, arena_alloc(arena, (length + 1) * sizeof(unsigned)) };
    Opts *opts = opts_new("", (Span){ 0 }, arena);
    Span at;
    const char *error = json_flatten(opts, &word, 0, &at);

    assert_null(error);
    return opts;
}

/* What was wrong there, and not in QEMU: modules and firmware that are not installed, no network. */
static bool depends_on_their_host(const Opts *expected)
{
    const char *message = value_of(expected, "error.message");

    return (message &&
               (strstr(message, "option rom 'nvram1'") || strstr(message, "failed to connect") ||
                   strstr(message, "Could not resolve host") || strstr(message, "/dev/vfio"))) ||
        value_of(expected, "env_dependent") || value_of(expected, "oracle_failed");
}

static void ignore(void *data, const char *fidelity, const char *path, const char *text)
{
}

/* The command line of the machine file of a command line describes the same drives. */
static void compare_way_back(Comparison *c, Legacy *there, const LegacyFiles *files)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    g_autofree char *yaml = legacy_to_yaml(there, "m", NULL);
    g_autoptr(Source) file = source_from_text("m.yaml", yaml, -1, diag);
    g_autofree char *line = qemu_command(events_parse(file, arena, diag), ignore, NULL);
    g_autoptr(Source) source = source_from_text("back", line, -1, diag);
    g_autoptr(GHashTable)
        variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) commands = words_commands(source, SCRIPT_SHELL, variables, arena, diag);
    g_autoptr(Legacy) back = legacy_new(source, AS_7_2, files, diag);

    assert_int_equal(commands->len, 1);
    if (legacy_read(back, g_ptr_array_index(commands, 0))) {
        compare_drives(c, back);
    } else {
        g_autofree char *said = diag_to_string(diag, DIAG_SHORT);

        g_string_append(c->differences, said);
    }
    if (c->differences->len) {
        g_string_prepend(c->differences, line);
        g_string_prepend(c->differences, "the way back: ");
    }
}

/* "" when we agree. Free it. */
static char *judge(char **columns, const char *answer)
{
    g_autoptr(Arena) arena = arena_create();
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Source) source = source_from_text("command line", columns[1], -1, diag);
    g_autoptr(GHashTable)
        variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) commands = words_commands(source, SCRIPT_SHELL, variables, arena, diag);
    bool has_files = columns[2] && columns[3] && *columns[3];
    World world = { read_json(answer, arena), has_files ? read_json(columns[3], arena) : NULL,
        columns[1], arena };
    LegacyFiles files = { look, read_file, &world };
    Comparison comparison = { world.expected, 0, g_string_new(NULL) };
    g_autoptr(Legacy) l = legacy_new(source, AS_7_2, &files, diag);
    bool theirs = strcmp(value_of(world.expected, "ok"), "on") == 0;
    bool ours = commands->len == 1 && legacy_read(l, g_ptr_array_index(commands, 0));

    if (!theirs && depends_on_their_host(world.expected)) {
        return g_string_free(comparison.differences, false);
    }
    if (ours != theirs) {
        g_autofree char *said = diag_to_string(diag, DIAG_SHORT);

        g_string_append_printf(comparison.differences, " theirs %s, ours %s",
            theirs ? "accepts" : value_of(world.expected, "error.message"),
            ours ? "accepts" : said);
    } else if (ours) {
        compare_drives(&comparison, l);
        if (comparison.differences->len == 0) {
            compare_way_back(&comparison, l, &files);
        }
    }
    return g_string_free(comparison.differences, false);
}

static char **read_lines(const char *path)
{
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? g_strsplit(g_strchomp(text), "\n", -1)
                                                        : NULL;
}

static unsigned lines_of_corpus(const char *tsv, unsigned *differing)
{
    g_autofree char *stem = g_strndup(tsv, strlen(tsv) - strlen(".tsv"));
    g_autofree char *answers_path = g_strdup_printf("%s.expected.jsonl", stem);
    g_auto(GStrv) lines = read_lines(tsv), answers = read_lines(answers_path);
    unsigned count = 0;

    assert_non_null(answers);
    for (unsigned i = 0; lines[i] && answers[i]; i++) {
        g_auto(GStrv) columns = g_strsplit(lines[i], "\t", 4);
        g_autofree char *difference = judge(columns, answers[i]);

        count++;
        if (*difference) {
            ++*differing;
            print_message("%s: %s\n   %s\n", columns[0], columns[1], difference);
        }
    }
    return count;
}

static void same_as_qemu_in(const char *folder)
{
    g_autoptr(GDir) dir = folder ? g_dir_open(folder, 0, NULL) : NULL;
    unsigned count = 0, differing = 0;
    const char *name;

    if (!dir) {
        skip();
    }
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (g_str_has_suffix(name, ".tsv")) {
            count += lines_of_corpus(path, &differing);
        }
    }
    print_message("%s: %u of %u lines as QEMU has them\n", folder, count - differing, count);
    assert_int_equal(differing, 0);
}

static void own_lines_are_judged_as_by_qemu(void **state)
{
    same_as_qemu_in("tests/config/legacy/corpus");
}

static void shared_lines_are_judged_as_by_qemu(void **state)
{
    same_as_qemu_in("../shared/corpus/drive");
}

static void further_lines_are_judged_as_by_qemu(void **state)
{
    same_as_qemu_in(g_getenv("LEGACY_CORPUS"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_lines_are_judged_as_by_qemu),
        cmocka_unit_test(shared_lines_are_judged_as_by_qemu),
        cmocka_unit_test(further_lines_are_judged_as_by_qemu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Two ways to say the same. */
#include "config/legacy/report.h"

#include <string.h>

#include "config/doc.h"
#include "config/legacy/drives.h"
#include "config/legacy/throttle.h"
#include "config/print.h"

enum { WIDEST_OPTION = 64 };

/* ---- for people ---- */

/* An option as a title: cut, when it is long. */
static void print_option(const LegacyNote *note, FILE *out)
{
    bool cut = strlen(note->option) > WIDEST_OPTION;

    fprintf(out, "%.*s%s", WIDEST_OPTION, note->option, cut ? "..." : "");
}

static void print_exact(const Legacy *l, FILE *out)
{
    unsigned column = 0;

    for (unsigned i = 0; i < l->notes->len; i++) {
        const LegacyNote *note = &g_array_index(l->notes, LegacyNote, i);
        size_t length = strcspn(note->option, " ");

        if (note->fidelity != EXACT || !*note->option) {
            continue;
        }
        if (column == 0 || column + length > 90) {
            fprintf(out, "%sexact    ", column ? "\n" : "");
            column = 9;
        }
        fprintf(out, "%.*s  ", (int)length, note->option);
        column += length + 2;
    }
    fputs(column ? "\n" : "", out);
}

void legacy_report(const Legacy *l, FILE *out)
{
    print_exact(l, out);
    for (unsigned i = 0; i < l->notes->len; i++) {
        const LegacyNote *note = &g_array_index(l->notes, LegacyNote, i);

        if (note->fidelity != EXACT) {
            fprintf(out, "%-8s ", fidelity_names[note->fidelity]);
            print_option(note, out);
            fprintf(out, "\n         %s\n", note->text ? note->text : "");
        }
    }
}

/* ---- for programs ---- */

typedef struct Tree {
    const Legacy *l;
    Arena *arena;
} Tree;

static void put_text(const Tree *t, Node *map, const char *key, const char *text)
{
    if (text) {
        node_map_set(t->arena, map, key, NO_MARK, node_new_string(t->arena, text, NO_MARK));
    }
}

static void put_number(const Tree *t, Node *map, const char *key, int64_t value)
{
    Node *node = node_new(t->arena, NODE_INT, NO_MARK);

    node->negative = value < 0;
    node->scalar.magnitude = value < 0 ? -value : value;
    node->scalar.text = arena_printf(t->arena, "%" G_GINT64_FORMAT, value);
    node_map_set(t->arena, map, key, NO_MARK, node);
}

static void put_bool(const Tree *t, Node *map, const char *key, bool value)
{
    Node *node = node_new(t->arena, NODE_BOOL, NO_MARK);

    node->scalar.magnitude = value;
    node->scalar.text = value ? "true" : "false";
    node_map_set(t->arena, map, key, NO_MARK, node);
}

static Node *put_map(const Tree *t, Node *map, const char *key)
{
    Node *node = node_new(t->arena, NODE_MAP, NO_MARK);

    node_map_set(t->arena, map, key, NO_MARK, node);
    return node;
}

static Node *put_list(const Tree *t, Node *map, const char *key)
{
    Node *node = node_new(t->arena, NODE_LIST, NO_MARK);

    node_map_set(t->arena, map, key, NO_MARK, node);
    return node;
}

static Node *add_map(const Tree *t, Node *list)
{
    Node *node = node_new(t->arena, NODE_MAP, NO_MARK);

    node_list_add(t->arena, list, node);
    return node;
}

static void put_throttle(const Tree *t, Node *drive, const LegacyThrottle *throttle)
{
    static const char *const names[] = { "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr" };
    Node *map;

    if (!throttle_is_on(throttle)) {
        return;
    }
    map = put_map(t, drive, "throttle");
    put_text(t, map, "group", throttle->group);
    for (unsigned i = 0; i < 6; i++) {
        if (throttle->limit[i / 3][i % 3]) {
            put_number(t, map, names[i], throttle->limit[i / 3][i % 3]);
        }
        if (throttle->burst[i / 3][i % 3]) {
            put_number(
                t, map, arena_printf(t->arena, "%s_max", names[i]), throttle->burst[i / 3][i % 3]);
        }
        if (throttle->length[i / 3][i % 3] > 1) {
            put_number(t, map, arena_printf(t->arena, "%s_max_length", names[i]),
                throttle->length[i / 3][i % 3]);
        }
    }
    if (throttle->iops_size) {
        put_number(t, map, "iops_size", throttle->iops_size);
    }
}

static void put_medium(const Tree *t, Node *map, const LegacyDrive *drive)
{
    const LegacyNode *node = drive->node;
    Node *cache;

    put_text(t, map, "file", node->file);
    put_text(t, map, "format", node->driver);
    put_text(t, map, "protocol", node->protocol);
    put_text(t, map, "node_name", drive->snapshot ? NULL : node->name);
    put_bool(t, map, "read_only", drives_read_only(drive));
    cache = put_map(t, map, "cache");
    put_bool(t, cache, "writeback",
        drive->front && drive->front->write_cache >= 0 ? drive->front->write_cache
                                                       : drive->writeback);
    put_bool(t, cache, "direct", node->direct && !drive->snapshot);
    put_bool(t, cache, "no-flush", node->no_flush || drive->snapshot);
    if (drive->snapshot) {
        cache = put_map(t, map, "base_cache");
        put_bool(t, cache, "direct", node->direct);
        put_bool(t, cache, "no-flush", node->no_flush);
        put_text(t, map, "overlay", "temporary qcow2");
    }
    put_text(t, map, "aio", drive->aio);
    put_text(t, map, "discard", drive->unmap ? "unmap" : "ignore");
    put_text(t, map, "detect_zeroes", drive->detect_zeroes);
    put_throttle(t, map, &drive->throttle);
}

static void put_front(const Tree *t, Node *map, const LegacyFront *front)
{
    Node *list = put_list(t, map, "attached"), *one, *props;
    const struct {
        const char *key;
        int value;
    } numbers[] = { { "unit", front ? front->unit : -1 },
        { "scsi-id", front ? front->scsi_id : -1 }, { "lun", front ? front->lun : -1 } };

    if (!front || !front->type) {
        return;
    }
    one = add_map(t, list);
    put_text(t, one, "type", front->type);
    put_text(t, one, "id", front->id);
    put_text(t, one, "bus", front->bus);
    props = put_map(t, one, "props");
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (numbers[i].value >= 0) {
            put_number(t, props, numbers[i].key, numbers[i].value);
        }
    }
    put_text(t, props, "serial", front->serial);
}

static void put_drive(const Tree *t, Node *list, const LegacyDrive *drive)
{
    Node *map = add_map(t, list);
    const LegacyFront *front = drive->front;

    put_text(t, map, "id", drive->id);
    put_text(t, map, "interface", interface_names[drive->interface]);
    put_bool(t, map, "inserted", drive->node != NULL);
    put_bool(t, map, "removable", front ? front->removable : true);
    put_bool(t, map, "snapshot", drive->snapshot);
    if (drive->node) {
        put_medium(t, map, drive);
    }
    put_text(t, map, "werror",
        front && front->werror ? front->werror
            : drive->werror    ? drive->werror
                               : "enospc");
    put_text(t, map, "rerror",
        front && front->rerror ? front->rerror
            : drive->rerror    ? drive->rerror
                               : "report");
    put_front(t, map, front);
}

static void put_notes(const Tree *t, Node *root)
{
    Node *list = put_list(t, root, "options");

    for (unsigned i = 0; i < t->l->notes->len; i++) {
        const LegacyNote *note = &g_array_index(t->l->notes, LegacyNote, i);
        Node *map = add_map(t, list);

        put_text(t, map, "fidelity", fidelity_names[note->fidelity]);
        put_text(t, map, "option", note->option);
        put_text(t, map, "path", *note->path ? note->path : NULL);
        put_text(t, map, "text", note->text);
    }
}

typedef struct ErrorList {
    const Tree *tree;
    Node *list;
} ErrorList;

static void put_error(void *data, const DiagReport *report)
{
    const ErrorList *errors = data;
    const Tree *t = errors->tree;
    Node *map = add_map(t, errors->list);

    put_text(t, map, "code", arena_printf(t->arena, "E%u", diag_kind(report->code)->number));
    put_number(t, map, "line", report->at.line);
    put_number(t, map, "column", report->at.column);
    put_number(t, map, "width", report->at.width);
    put_text(t, map, "message", report->text);
    put_text(t, map, "hint", report->hint);
}

/* Line breaks and what indents the next line become a blank: strings have them escaped. */
static char *on_one_line(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (*from == '\n') {
            from += strspn(from + 1, " ");
            *to++ = ' ';
        } else {
            *to++ = *from;
        }
    }
    while (to > text && to[-1] == ' ') {
        to--;
    }
    *to = '\0';
    return text;
}

char *legacy_report_json(const Legacy *l, bool accepted, const char *yaml, bool line)
{
    g_autoptr(Arena) arena = arena_create();
    Tree t = { l, arena };
    Node *root = node_new(arena, NODE_MAP, NO_MARK);
    ErrorList errors = { &t, put_list(&t, root, "errors") };
    char *text;

    put_bool(&t, root, "ok", accepted);
    diag_each(l->diag, put_error, &errors);
    if (accepted) {
        Node *drives = put_list(&t, root, "drives");

        put_text(&t, root, "fidelity", fidelity_names[legacy_fidelity(l)]);
        put_text(&t, root, "machine", l->machine);
        for (unsigned i = 0; i < l->drives->len; i++) {
            put_drive(&t, drives, g_ptr_array_index(l->drives, i));
        }
        put_notes(&t, root);
        put_text(&t, root, "yaml", yaml);
    }
    text = print_json(root, NULL);
    return line ? on_one_line(text) : text;
}

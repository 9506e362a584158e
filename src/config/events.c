/* A recursive reader over libyaml: one function for each kind of event. */
#include "config/events.h"

#include <string.h>
#include <yaml.h>

#include "config/scalar.h"

/* An anchor, and the node it stands on; `open` while that node is being read. */
typedef struct Anchor {
    const char *name;
    Node *node;
    bool open;
} Anchor;

typedef struct Reader {
    const Source *source;
    Arena *arena;
    Diag *diag;
    yaml_parser_t yaml;
    GArray *anchors; /* of Anchor */
    unsigned depth;
    unsigned aliased; /* of them, copied for aliases */
} Reader;

static Mark mark_at(const Reader *r, yaml_mark_t from, yaml_mark_t to)
{
    Mark mark = {
        .file = r->source->name,
        .line = from.line + 1,
        .column = from.column + 1,
        .width = 1,
    };

    if (to.line == from.line) {
        mark.width = MAX(1, to.column - from.column);
    } else {
        mark.width = G_MAXUINT16; /* to the end of the line: the printer clips it */
    }
    return mark;
}

static Mark event_mark(const Reader *r, const yaml_event_t *event)
{
    return mark_at(r, event->start_mark, event->end_mark);
}

/* ---- errors of YAML itself ---- */

/* What libyaml says, and what a person can do about it. */
static const struct {
    const char *said, *hint;
} remedies[] = {
    { "found character that cannot start any token", "quote the text" },
    { "found a tab character that violates indentation", "indent with spaces" },
    { "mapping values are not allowed in this context",
        "is the line above a value already? quote texts with `: `" },
    { "could not find expected ':'", "a key needs `:` and a blank behind it" },
    { "did not find expected key", "is it indented like its neighbours?" },
    { "did not find expected '-' indicator", "is it indented like its neighbours?" },
    { "found unexpected end of stream", "a quote or a bracket is not closed" },
    { "found unknown escape character", "use '...' if backslashes mean themselves" },
};

static const char *remedy_for(const char *problem)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(remedies); i++) {
        if (strcmp(remedies[i].said, problem) == 0) {
            return remedies[i].hint;
        }
    }
    return NULL;
}

/* Errors at the end of the text are shown behind the last thing that is written. */
static Mark visible_mark(const Reader *r, Mark at)
{
    gsize size, written;
    const char *text = g_bytes_get_data(r->source->text, &size);

    for (written = size; written > 0 && g_ascii_isspace(text[written - 1]); written--) {}
    if (written && mark_offset(text, size, at.line, at.column) >= written) {
        mark_place(text, written, &at.line, &at.column);
    }
    return at;
}

static bool is_tab(const Reader *r, Mark at)
{
    gsize size, offset;
    const char *text = g_bytes_get_data(r->source->text, &size);

    offset = mark_offset(text, size, at.line, at.column);
    return offset < size && text[offset] == '\t';
}

/* `{ kernel: ${x} }`: the braces of a parameter inside those of a map. */
static bool is_bare_parameter(const Reader *r, Mark at)
{
    gsize size, offset;
    const char *text = g_bytes_get_data(r->source->text, &size);

    offset = mark_offset(text, size, at.line, at.column);
    return offset > 0 && offset < size && text[offset - 1] == '$' && text[offset] == '{';
}

static void report_yaml_error(Reader *r)
{
    const yaml_parser_t *yaml = &r->yaml;
    const char *problem = yaml->problem ? yaml->problem : "out of memory";
    yaml_mark_t place = yaml->error == YAML_READER_ERROR ? yaml->mark : yaml->problem_mark;
    Mark at = visible_mark(r, mark_at(r, place, place));
    const char *hint = remedy_for(problem);

    if (is_tab(r, at)) {
        problem = "a tab cannot indent";
        hint = "indent with spaces";
    } else if (is_bare_parameter(r, at)) {
        problem = "`${...}` stands between the braces of a map";
        hint = "write it between quotes: \"${...}\"";
    }
    diag_error(r->diag, DIAG_YAML, at, "not YAML: %s", problem);
    if (hint) {
        diag_hint(r->diag, "%s", hint);
    }
    if (yaml->context && yaml->context_mark.line != yaml->problem_mark.line) {
        diag_note(r->diag, mark_at(r, yaml->context_mark, yaml->context_mark), "%s", yaml->context);
    }
}

static bool next_event(Reader *r, yaml_event_t *event)
{
    if (!yaml_parser_parse(&r->yaml, event)) {
        report_yaml_error(r);
        return false;
    }
    return true;
}

/* ---- nodes ---- */

static Node *read_node(Reader *r, yaml_event_t *event);

static void set_end(Node *node, const yaml_event_t *event)
{
    node->end_line = event->end_mark.line + 1;
    node->end_column = event->end_mark.column + 1;
}

static Node *start_node(Reader *r, NodeKind kind, const yaml_event_t *event)
{
    Node *node = node_new(r->arena, kind, event_mark(r, event));

    set_end(node, event);
    return node;
}

static void end_collection(Reader *r, Node *node, const yaml_event_t *event)
{
    set_end(node, event);
    node->mark.width = node->end_line == node->mark.line
        ? MAX(1, node->end_column - node->mark.column)
        : G_MAXUINT16;
}

static void refuse_tag(Reader *r, Node *node, const yaml_char_t *tag)
{
    static const char standard[] = "tag:yaml.org,2002:";
    const char *text = (const char *)tag;
    bool short_form = tag && g_str_has_prefix(text, standard);

    if (tag) {
        diag_error(r->diag, DIAG_UNSUPPORTED, node->mark,
            "tags are not part of the language: `%s%s`", short_form ? "!!" : "",
            short_form ? text + strlen(standard) : text);
        diag_hint(r->diag, "remove it; quote the value if it is a text");
        node->bad = true;
    }
}

static Anchor *find_anchor(const Reader *r, const char *name)
{
    for (unsigned i = r->anchors->len; i > 0; i--) {
        Anchor *anchor = &g_array_index(r->anchors, Anchor, i - 1);

        if (strcmp(anchor->name, name) == 0) {
            return anchor;
        }
    }
    return NULL;
}

/* Gives the anchor's index plus 1, for close_anchor. */
static unsigned open_anchor(Reader *r, Node *node, const yaml_char_t *name)
{
    Anchor anchor = { .node = node, .open = true };

    if (!name) {
        return 0;
    }
    anchor.name = arena_text(r->arena, (const char *)name, strlen((const char *)name));
    g_array_append_val(r->anchors, anchor);
    return r->anchors->len;
}

static void close_anchor(Reader *r, unsigned number)
{
    if (number) {
        g_array_index(r->anchors, Anchor, number - 1).open = false;
    }
}

static unsigned count_nodes(const Node *node)
{
    unsigned count = 1;

    for (unsigned i = 0; node->kind == NODE_MAP && i < node->map.count; i++) {
        count += count_nodes(node->map.entries[i].value);
    }
    for (unsigned i = 0; node->kind == NODE_LIST && i < node->list.count; i++) {
        count += count_nodes(node->list.items[i]);
    }
    return count;
}

static unsigned height_of(const Node *node)
{
    unsigned below = 0;

    for (unsigned i = 0; node->kind == NODE_MAP && i < node->map.count; i++) {
        below = MAX(below, height_of(node->map.entries[i].value));
    }
    for (unsigned i = 0; node->kind == NODE_LIST && i < node->list.count; i++) {
        below = MAX(below, height_of(node->list.items[i]));
    }
    return node->kind == NODE_MAP || node->kind == NODE_LIST ? below + 1 : 0;
}

static Node *bad_node(Reader *r, const yaml_event_t *event)
{
    Node *node = start_node(r, NODE_NULL, event);

    node->bad = true;
    return node;
}

static Node *read_alias(Reader *r, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    const Anchor *anchor = find_anchor(r, name);
    Mark at = event_mark(r, event);

    if (!anchor) {
        diag_error(r->diag, DIAG_ALIAS, at, "`*%s` has no anchor `&%s` above it", name, name);
        return bad_node(r, event);
    }
    if (anchor->open) {
        diag_error(r->diag, DIAG_ALIAS, at, "`*%s` is inside the node it stands for", name);
        return bad_node(r, event);
    }
    r->aliased += count_nodes(anchor->node);
    if (r->aliased > MOST_ALIASED_NODES) {
        diag_error(
            r->diag, DIAG_LIMIT, at, "aliases repeat more than %d nodes", MOST_ALIASED_NODES);
        return NULL;
    }
    if (r->depth + height_of(anchor->node) > DEEPEST_NESTING) {
        diag_error(r->diag, DIAG_LIMIT, at, "nested deeper than %d levels", DEEPEST_NESTING);
        return NULL;
    }
    return node_copy(r->arena, anchor->node);
}

/* Quotes mend it only where nobody can have meant a number or a truth value. */
static void report_ambiguous(Reader *r, const Node *node, const ScalarReading *reading)
{
    g_autofree char *quoted = g_strdup_printf("\"%s\"", node->scalar.text);
    bool truth = strcmp(reading->old, "a truth value") == 0;

    diag_error(r->diag, DIAG_AMBIGUOUS, node->mark, "`%s` is %s to YAML 1.1 and %s to YAML 1.2",
        node->scalar.text, reading->old, reading->now);
    diag_hint(r->diag, "write %s if it is a text%s", quoted, truth ? ", true or false if not" : "");
    if (strcmp(reading->old, "a number in base 60") == 0 || strcmp(reading->old, "a date") == 0) {
        diag_fix(r->diag, quoted);
    }
}

/* A plain scalar is what both versions of YAML say it is. */
static void read_plain(Reader *r, Node *node)
{
    ScalarReading reading = scalar_read(node);

    if (reading.verdict == SCALAR_AMBIGUOUS) {
        report_ambiguous(r, node, &reading);
        node->bad = true;
    } else if (reading.verdict == SCALAR_TOO_LARGE) {
        diag_error(
            r->diag, DIAG_RANGE, node->mark, "`%s` does not fit into 64 bits", node->scalar.text);
        node->bad = true;
    }
}

static void fill_scalar(Reader *r, Node *node, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;

    node->scalar.text = arena_text(r->arena, text, event->data.scalar.length);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    refuse_tag(r, node, event->data.scalar.tag);
    if (strlen(text) != event->data.scalar.length) {
        diag_error(r->diag, DIAG_FORM, node->mark, "a text with a zero byte in it");
        node->bad = true;
    }
    if (!node->quoted) {
        read_plain(r, node);
    }
}

static Node *read_scalar(Reader *r, const yaml_event_t *event)
{
    Node *node = start_node(r, NODE_STRING, event);

    fill_scalar(r, node, event);
    close_anchor(r, open_anchor(r, node, event->data.scalar.anchor));
    return node;
}

/* Takes the event. A map keeps the text of a key, not its node: that is in `here` when it can be. */
static Node *read_key(Reader *r, yaml_event_t *event, Node *here)
{
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.anchor) {
        return read_node(r, event);
    }
    *here = (Node){ .kind = NODE_STRING, .mark = event_mark(r, event) };
    set_end(here, event);
    fill_scalar(r, here, event);
    yaml_event_delete(event);
    return here;
}

/* True when the collection may be entered. */
static bool descend(Reader *r, const yaml_event_t *event)
{
    if (r->depth == DEEPEST_NESTING) {
        return diag_error(r->diag, DIAG_LIMIT, event_mark(r, event), "nested deeper than %d levels",
            DEEPEST_NESTING);
    }
    r->depth++;
    return true;
}

static Node *read_list(Reader *r, const yaml_event_t *start)
{
    Node *node = start_node(r, NODE_LIST, start), *item = node;
    unsigned anchor = open_anchor(r, node, start->data.sequence_start.anchor);
    yaml_event_t event;

    refuse_tag(r, node, start->data.sequence_start.tag);
    if (!descend(r, start)) {
        return NULL;
    }
    while (item) {
        if (!next_event(r, &event)) {
            return NULL;
        }
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            end_collection(r, node, &event);
            yaml_event_delete(&event);
            break;
        }
        item = read_node(r, &event);
        if (item) {
            node_list_add(r->arena, node, item);
        }
    }
    r->depth--;
    close_anchor(r, anchor);
    return item ? node : NULL;
}

static void add_entry(Reader *r, Node *map, const Node *key, Node *value)
{
    const char *text = key->scalar.text;
    const Entry *there;

    if (key->bad) {
        return;
    }
    if (key->kind != NODE_STRING) {
        diag_error(r->diag, DIAG_UNSUPPORTED, key->mark, "a key must be a text, this is %s",
            node_kind_name(key->kind));
        diag_hint(r->diag, "write it between quotes");
        return;
    }
    if (strcmp(text, "<<") == 0 && !key->quoted) {
        diag_error(r->diag, DIAG_UNSUPPORTED, key->mark, "merge keys are not part of the language");
        diag_hint(r->diag, "use `extends`, or repeat the keys");
        return;
    }
    there = node_entry(map, text);
    if (there) {
        diag_error(r->diag, DIAG_DUPLICATE_KEY, key->mark, "`%s` is there twice", text);
        diag_note(r->diag, there->mark, "the first one");
        return;
    }
    node_map_set(r->arena, map, text, key->mark, value);
}

static Node *read_map(Reader *r, const yaml_event_t *start)
{
    Node *node = start_node(r, NODE_MAP, start), *key = node, *value = node, here;
    unsigned anchor = open_anchor(r, node, start->data.mapping_start.anchor);
    yaml_event_t event;

    refuse_tag(r, node, start->data.mapping_start.tag);
    if (!descend(r, start)) {
        return NULL;
    }
    while (key && value) {
        if (!next_event(r, &event)) {
            return NULL;
        }
        if (event.type == YAML_MAPPING_END_EVENT) {
            end_collection(r, node, &event);
            yaml_event_delete(&event);
            break;
        }
        key = read_key(r, &event, &here);
        value = key && next_event(r, &event) ? read_node(r, &event) : NULL;
        if (value) {
            add_entry(r, node, key, value);
        }
    }
    r->depth--;
    close_anchor(r, anchor);
    return key && value ? node : NULL;
}

/* Takes the event. NULL: nothing sensible can follow. */
static Node *read_node(Reader *r, yaml_event_t *event)
{
    Node *node = NULL;

    switch (event->type) {
    case YAML_ALIAS_EVENT: node = read_alias(r, event); break;
    case YAML_SCALAR_EVENT: node = read_scalar(r, event); break;
    case YAML_SEQUENCE_START_EVENT: node = read_list(r, event); break;
    case YAML_MAPPING_START_EVENT: node = read_map(r, event); break;
    default: g_assert_not_reached();
    }
    yaml_event_delete(event);
    return node;
}

/* ---- the stream around the one document ---- */

static Node *read_document(Reader *r)
{
    Node *root = NULL;
    yaml_event_t event;

    while (next_event(r, &event)) {
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT: break;
        case YAML_STREAM_END_EVENT:
            yaml_event_delete(&event);
            return root ? root : node_new(r->arena, NODE_MAP, source_mark(r->source));
        case YAML_DOCUMENT_START_EVENT:
            if (root) {
                diag_error(r->diag, DIAG_UNSUPPORTED, event_mark(r, &event),
                    "a second document: one file describes one thing");
                yaml_event_delete(&event);
                return NULL;
            }
            break;
        default:
            root = read_node(r, &event);
            if (!root) {
                return NULL;
            }
            continue;
        }
        yaml_event_delete(&event);
    }
    return NULL;
}

/* UTF-8 alone: then a column means the same to every tool. */
static bool is_utf8(const Reader *r, const guchar *text, size_t size)
{
    if (size >= 2 &&
        ((text[0] == 0xff && text[1] == 0xfe) || (text[0] == 0xfe && text[1] == 0xff))) {
        return diag_error(
            r->diag, DIAG_YAML, source_mark(r->source), "the file is UTF-16: save it as UTF-8");
    }
    return true;
}

Node *events_parse(const Source *source, Arena *arena, Diag *diag)
{
    Reader reader = { .source = source, .arena = arena, .diag = diag };
    gsize size, skipped;
    const guchar *text = g_bytes_get_data(source->text, &size);
    Node *root = NULL;

    if (!is_utf8(&reader, text, size)) {
        return NULL;
    }
    skipped = mark_text_start((const char *)text, size);
    reader.anchors = g_array_new(false, false, sizeof(Anchor));
    if (yaml_parser_initialize(&reader.yaml)) {
        yaml_parser_set_encoding(&reader.yaml, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(
            &reader.yaml, size ? text + skipped : (const guchar *)"", size - skipped);
        root = read_document(&reader);
    }
    yaml_parser_delete(&reader.yaml);
    g_array_unref(reader.anchors);
    return root;
}

/* Internal snapshots: the table of them (specification, "Snapshots"). */
#include <errno.h>
#include <string.h>

#include "block/bytes.h"
#include "block/qcow2/qcow2.h"

enum { ENTRY_FIXED = 40, EXTRA_KNOWN = 24 };

void qcow2_snapshot_free(void *data)
{
    Qcow2Snapshot *s = data;

    g_free(s->id);
    g_free(s->name);
    g_clear_pointer(&s->more, g_bytes_unref);
    g_free(s);
}

/* A reader of big-endian numbers that gives zeroes beyond the end, and remembers. */
typedef struct Reader {
    const uint8_t *at, *end;
    bool beyond;
} Reader;

static uint64_t take(Reader *r, unsigned bytes)
{
    uint64_t value = 0;

    if ((size_t)(r->end - r->at) < bytes) {
        r->beyond = true;
        r->at = r->end;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | *r->at++;
    }
    return value;
}

static char *take_text(Reader *r, unsigned bytes)
{
    char *text;

    if ((size_t)(r->end - r->at) < bytes) {
        r->beyond = true;
        return g_strdup("");
    }
    text = g_strndup((const char *)r->at, bytes);
    r->at += bytes;
    return text;
}

/* Extra data has grown over time: what an older writer left out is zero. */
static void take_extra(Reader *r, Qcow2Snapshot *s, uint32_t size)
{
    Reader extra = { r->at, r->at + MIN(size, (size_t)(r->end - r->at)), false };

    r->beyond |= size > (size_t)(r->end - r->at);
    r->at = extra.end;
    if (size >= 8) {
        s->vm_state_size = take(&extra, 8);
    }
    if (size >= 16) {
        s->disk_size = take(&extra, 8);
    }
    if (size >= EXTRA_KNOWN) {
        s->icount = take(&extra, 8);
        s->more = extra.at < extra.end ? g_bytes_new(extra.at, extra.end - extra.at) : NULL;
    }
}

static Qcow2Snapshot *take_snapshot(Reader *r, const uint8_t *start)
{
    Qcow2Snapshot *s = g_new0(Qcow2Snapshot, 1);
    unsigned id_size, name_size;
    uint32_t extra_size;

    s->l1_offset = take(r, 8);
    s->l1_size = take(r, 4);
    id_size = take(r, 2);
    name_size = take(r, 2);
    s->date_sec = take(r, 4);
    s->date_nsec = take(r, 4);
    s->vm_clock_nsec = take(r, 8);
    s->vm_state_size = take(r, 4);
    extra_size = take(r, 4);
    take_extra(r, s, extra_size);
    s->id = take_text(r, id_size);
    s->name = take_text(r, name_size);
    r->at = MIN(r->end, start + (((r->at - start) + 7) & ~(size_t)7));
    return s;
}

/* ---- writing ---- */

static void put(GByteArray *out, unsigned bytes, uint64_t value)
{
    uint8_t text[8];

    store_be(text, bytes, value);
    g_byte_array_append(out, text, bytes);
}

static void put_snapshot(GByteArray *out, const Qcow2Snapshot *s)
{
    static const uint8_t padding[8];
    size_t more = s->more ? g_bytes_get_size(s->more) : 0;

    put(out, 8, s->l1_offset);
    put(out, 4, s->l1_size);
    put(out, 2, strlen(s->id));
    put(out, 2, strlen(s->name));
    put(out, 4, s->date_sec);
    put(out, 4, s->date_nsec);
    put(out, 8, s->vm_clock_nsec);
    put(out, 4, s->vm_state_size > UINT32_MAX ? 0 : s->vm_state_size);
    put(out, 4, EXTRA_KNOWN + more);
    put(out, 8, s->vm_state_size);
    put(out, 8, s->disk_size);
    put(out, 8, s->icount);
    if (more > 0) {
        g_byte_array_append(out, g_bytes_get_data(s->more, NULL), more);
    }
    g_byte_array_append(out, (const uint8_t *)s->id, strlen(s->id));
    g_byte_array_append(out, (const uint8_t *)s->name, strlen(s->name));
    g_byte_array_append(out, padding, -out->len & 7);
}

GByteArray *qcow2_snapshot_bytes(const Qcow2 *q)
{
    GByteArray *out = g_byte_array_new();

    for (unsigned i = 0; i < q->snapshots->len; i++) {
        put_snapshot(out, g_ptr_array_index(q->snapshots, i));
    }
    return out;
}

/* ---- reading the table ---- */

static bool is_sound(const Qcow2 *q, const Qcow2Snapshot *s)
{
    return s->l1_offset % q->cluster_size == 0 && s->l1_offset >= q->cluster_size &&
        s->l1_size <= QCOW2_MAX_L1_BYTES / sizeof(uint64_t) && s->l1_offset < q->file->length;
}

/* The table does not say how long it is: what is read is bounded by the file and by a limit. */
int qcow2_read_snapshots(Qcow2 *q)
{
    uint64_t left = q->file->length - MIN(q->header.snapshots_offset, q->file->length);
    size_t size = MIN(left,
        MIN((uint64_t)q->header.nb_snapshots * 4096 + 4096, (uint64_t)QCOW2_MAX_SNAPSHOT_BYTES));
    g_autofree uint8_t *bytes = g_try_malloc(size + 1);
    Reader r = { bytes, bytes + size, false };
    int result;

    g_clear_pointer(&q->snapshots, g_ptr_array_unref);
    q->snapshots = g_ptr_array_new_with_free_func(qcow2_snapshot_free);
    if (q->header.nb_snapshots == 0) {
        return 0;
    }
    result = bytes ? block_read(q->file, q->header.snapshots_offset, bytes, size) : -ENOMEM;
    for (uint32_t i = 0; i < q->header.nb_snapshots && result == 0; i++) {
        Qcow2Snapshot *s = take_snapshot(&r, bytes);

        g_ptr_array_add(q->snapshots, s);
        result = r.beyond || !is_sound(q, s) ? -EIO : 0;
    }
    q->snapshots_bytes = r.at - bytes;
    return result;
}

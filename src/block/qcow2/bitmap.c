/* The directory of persistent bitmaps, their tables, and their bits. */
#include "block/qcow2/bitmap.h"

#include <errno.h>
#include <string.h>

#include "block/bytes.h"
#include "block/qcow2/header.h"

/* ---- the directory ---- */

void qcow2_bitmap_free(void *data)
{
    Qcow2Bitmap *b = data;

    for (uint32_t i = 0; b->bits && i < b->table_size; i++) {
        g_free(b->bits[i]);
    }
    g_free(b->bits);
    g_free(b->table);
    g_free(b->name);
    g_clear_pointer(&b->extra, g_bytes_unref);
    g_free(b);
}

/* Bytes of an entry whose names and extra data are so long. */
static uint64_t entry_bytes(uint64_t rest)
{
    return (QCOW2_BITMAP_ENTRY + rest + 7) & ~UINT64_C(7);
}

/* What is wrong with one is only its own matter: it can be removed, but not be used. */
static bool is_sound(const Qcow2 *q, const Qcow2Bitmap *b)
{
    return b->type == QCOW2_BITMAP_DIRTY_TYPE && b->granularity_bits >= QCOW2_BITMAP_BITS_LEAST &&
        b->granularity_bits <= QCOW2_BITMAP_BITS_MOST &&
        (!b->extra || b->flags & QCOW2_BITMAP_EXTRA_COMPATIBLE) &&
        b->table_size == qcow2_bitmap_table_size(q, b->granularity_bits, q->node->length);
}

static bool take_entry(Qcow2 *q, const uint8_t *entry, uint64_t left, uint64_t *length)
{
    uint32_t extra, name;
    Qcow2Bitmap *b;

    if (left < QCOW2_BITMAP_ENTRY) {
        return false;
    }
    name = load_be(entry + 18, 2);
    extra = load_be(entry + 20, 4);
    *length = entry_bytes((uint64_t)name + extra);
    if (*length > left || name == 0 || name > QCOW2_BITMAP_NAME_MOST ||
        load_be(entry + 8, 4) > QCOW2_BITMAP_TABLE_MOST ||
        memchr(entry + QCOW2_BITMAP_ENTRY + extra, '\0', name)) {
        return false;
    }
    b = g_new0(Qcow2Bitmap, 1);
    b->table_offset = load_be(entry, 8);
    b->table_size = load_be(entry + 8, 4);
    b->flags = load_be(entry + 12, 4);
    b->type = entry[16];
    b->granularity_bits = entry[17];
    b->extra = extra ? g_bytes_new(entry + QCOW2_BITMAP_ENTRY, extra) : NULL;
    b->name = g_strndup((const char *)entry + QCOW2_BITMAP_ENTRY + extra, name);
    if (!is_sound(q, b)) {
        b->flags |= QCOW2_BITMAP_IN_USE;
    }
    g_ptr_array_add(q->bitmaps, b);
    return true;
}

static int take_directory(Qcow2 *q, const uint8_t *directory)
{
    uint64_t at = 0, length;

    for (uint32_t i = 0; i < q->bitmap_count; i++) {
        if (!take_entry(q, directory + at, q->bitmap_directory_size - at, &length)) {
            return -EIO;
        }
        at += length;
    }
    return at == q->bitmap_directory_size ? 0 : -EIO;
}

int qcow2_read_bitmaps(Qcow2 *q)
{
    uint64_t size = q->bitmap_directory_size;
    g_autofree uint8_t *directory = NULL;
    int result;

    if (q->bitmaps) {
        return 0;
    }
    if (q->bitmap_count > QCOW2_BITMAPS_MOST || size > QCOW2_BITMAP_DIRECTORY_MOST ||
        q->bitmap_directory > q->file->length || size > q->file->length - q->bitmap_directory) {
        return -EIO;
    }
    directory = g_try_malloc(size + 1);
    result = directory ? block_read(q->file, q->bitmap_directory, directory, size) : -ENOMEM;
    if (result < 0) {
        return result;
    }
    q->bitmaps = g_ptr_array_new_with_free_func(qcow2_bitmap_free);
    result = q->bitmap_count ? take_directory(q, directory) : 0;
    if (result < 0) {
        g_clear_pointer(&q->bitmaps, g_ptr_array_unref);
    }
    return result;
}

static GByteArray *directory_bytes(const Qcow2 *q)
{
    GByteArray *out = g_byte_array_new();

    for (unsigned i = 0; i < q->bitmaps->len; i++) {
        const Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);
        gsize extra = b->extra ? g_bytes_get_size(b->extra) : 0;
        unsigned at = out->len;
        uint8_t *entry;

        g_byte_array_set_size(out, at + entry_bytes(extra + strlen(b->name)));
        entry = memset(out->data + at, 0, out->len - at);
        store_be(entry, 8, b->table_offset);
        store_be(entry + 8, 4, b->table_size);
        store_be(entry + 12, 4, b->flags);
        entry[16] = b->type;
        entry[17] = b->granularity_bits;
        store_be(entry + 18, 2, strlen(b->name));
        store_be(entry + 20, 4, extra);
        if (extra) {
            memcpy(entry + QCOW2_BITMAP_ENTRY, g_bytes_get_data(b->extra, NULL), extra);
        }
        memcpy(entry + QCOW2_BITMAP_ENTRY + extra, b->name, strlen(b->name));
    }
    return out;
}

/* Only a bit or two of each entry differ, so that what is torn is of before or of after. */
int qcow2_write_bitmap_flags(Qcow2 *q)
{
    g_autoptr(GByteArray) bytes = directory_bytes(q);
    int result = block_flush(q->file);

    g_assert(bytes->len == q->bitmap_directory_size);
    if (result == 0) {
        result = block_write(q->file, q->bitmap_directory, bytes->data, bytes->len, 0);
    }
    return result == 0 ? block_flush(q->file) : result;
}

static int write_directory(Qcow2 *q, const GByteArray *bytes, uint64_t *offset)
{
    int result;

    co_mutex_lock(&q->lock);
    result = refcount_allocate(q, qcow2_align_up(q, bytes->len) >> q->cluster_bits, offset);
    co_mutex_unlock(&q->lock);
    if (result == 0) {
        result = qcow2_commit(q);
    }
    return result == 0 ? block_write(q->file, *offset, bytes->data, bytes->len, 0) : result;
}

int qcow2_move_bitmap_directory(Qcow2 *q)
{
    g_autoptr(GByteArray) bytes = directory_bytes(q);
    uint64_t old = q->bitmap_directory, old_size = q->bitmap_directory_size, offset = 0;
    Qcow2Header header = q->header;
    int result = bytes->len ? write_directory(q, bytes, &offset) : qcow2_commit(q);

    if (result == 0) {
        result = block_flush(q->file);
    }
    if (result < 0) {
        return result;
    }
    q->bitmap_directory = offset;
    q->bitmap_directory_size = bytes->len;
    q->bitmap_count = q->bitmaps->len;
    header.autoclear_features &= ~(uint64_t)QCOW2_AUTOCLEAR_BITMAPS;
    header.autoclear_features |= q->bitmap_count ? QCOW2_AUTOCLEAR_BITMAPS : 0;
    result = qcow2_rewrite_header(q, &header, q->node->backing_path, q->node->backing_format);
    if (result == 0 && old_size > 0) {
        refcount_free_later(q, old, qcow2_align_up(q, old_size) >> q->cluster_bits);
    }
    return result;
}

/* ---- tables and bits ---- */

uint32_t qcow2_bitmap_table_size(const Qcow2 *q, unsigned granularity_bits, uint64_t length)
{
    uint64_t bits = (length + (UINT64_C(1) << granularity_bits) - 1) >> granularity_bits;

    return qcow2_align_up(q, (bits + 7) / 8) >> q->cluster_bits;
}

/* The bits of a place that is out of the file cannot be right. */
static bool is_entry(const Qcow2 *q, uint64_t entry)
{
    uint64_t offset = entry & QCOW2_OFFSET_MASK;

    return (entry & ~QCOW2_OFFSET_MASK) <= (offset ? 0 : 1) && offset % q->cluster_size == 0 &&
        offset < q->file->length;
}

int qcow2_bitmap_table(Qcow2 *q, Qcow2Bitmap *b)
{
    uint64_t bytes = b->table_size * sizeof(uint64_t);
    int result = 0;

    if (b->table) {
        return 0;
    }
    if (b->table_offset % q->cluster_size != 0 || b->table_offset > q->file->length ||
        bytes > qcow2_align_up(q, q->file->length) - b->table_offset) {
        return -EIO;
    }
    b->table = g_new0(uint64_t, MAX(b->table_size, 1));
    result = block_read(q->file, b->table_offset, b->table, bytes);
    for (uint32_t i = 0; i < b->table_size && result == 0; i++) {
        b->table[i] = GUINT64_FROM_BE(b->table[i]);
        result = is_entry(q, b->table[i]) ? 0 : -EIO;
    }
    if (result < 0) {
        g_clear_pointer(&b->table, g_free);
    }
    return result;
}

int qcow2_bitmap_bits(Qcow2 *q, Qcow2Bitmap *b, uint32_t index, uint8_t **out)
{
    g_autofree uint8_t *bits = NULL;
    int result = qcow2_bitmap_table(q, b);

    if (result < 0 || index >= b->table_size) {
        return result < 0 ? result : -EIO;
    }
    b->bits = b->bits ? b->bits : g_new0(uint8_t *, b->table_size);
    if (!b->bits[index]) {
        bits = g_malloc0(q->cluster_size);
        if (b->table[index] & QCOW2_OFFSET_MASK) {
            result = block_read(q->file, b->table[index], bits, q->cluster_size);
        } else if (b->table[index] & 1) {
            memset(bits, 0xff, q->cluster_size);
        }
        b->bits[index] = result == 0 ? g_steal_pointer(&bits) : NULL;
    }
    *out = b->bits[index];
    return result;
}

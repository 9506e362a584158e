#include "block/formats/sparse.h"

#include <errno.h>
#include <string.h>

enum {
    PAGE = 4096,
    PAGES = 1024, /* in memory */
    DIRTY_MOST = PAGES / 2,
    RUN_MOST = 4 << 20,     /* bytes allocated at once */
    FIRST_MOST = 64 << 20,  /* bytes of a first table */
    CHECKED_MOST = 1 << 27, /* blocks that a check can count */
};
#define ENTRIES_MOST (UINT64_C(1) << 32)

typedef struct Page {
    uint64_t offset, mirror; /* in the file; 0: no mirror */
    unsigned length;
    bool dirty;
    uint8_t *data;
    GList recent;
} Page;

static Sparse *sparse_of(const BlockNode *node)
{
    return node->state;
}

/* ---- pages ---- */

static void page_free(void *data)
{
    Page *page = data;

    g_free(page->data);
    g_free(page);
}

static void page_forget(Sparse *s, Page *page)
{
    g_queue_unlink(&s->recent, &page->recent);
    g_hash_table_remove(s->pages, &page->offset);
}

static void make_room(Sparse *s)
{
    GList *link = s->recent.tail;

    while (link && s->recent.length >= PAGES) {
        Page *page = link->data;

        link = link->prev;
        if (!page->dirty) {
            page_forget(s, page);
        }
    }
}

static Page *page_new(Sparse *s, uint64_t offset, uint64_t mirror, unsigned length)
{
    Page *page = g_new0(Page, 1);

    make_room(s);
    *page = (Page){ offset, mirror, length, false, g_malloc0(length), { .data = page } };
    g_hash_table_insert(s->pages, &page->offset, page);
    g_queue_push_head_link(&s->recent, &page->recent);
    return page;
}

static int page_get(BlockNode *node, uint64_t offset, uint64_t mirror, unsigned length, Page **out)
{
    Sparse *s = sparse_of(node);
    BlockNode *file = node->children[0];
    int result;

    *out = g_hash_table_lookup(s->pages, &offset);
    if (*out) {
        g_queue_unlink(&s->recent, &(*out)->recent);
        g_queue_push_head_link(&s->recent, &(*out)->recent);
        return (*out)->length >= length ? 0 : -EIO;
    }
    if (offset > file->length || length > file->length - offset) {
        return -EIO; /* a table beyond the end: the file has been cut off */
    }
    *out = page_new(s, offset, mirror, length);
    result = block_read(file, offset, (*out)->data, length);
    if (result < 0) {
        page_forget(s, *out);
    }
    return result;
}

static void page_dirty(Sparse *s, Page *page)
{
    s->dirty += !page->dirty;
    page->dirty = true;
}

/* ---- entries ---- */

static uint64_t load_entry(const SparseKind *kind, const uint8_t *at)
{
    return kind->big_endian ? load_be(at, kind->entry_size) : load_le(at, kind->entry_size);
}

static void store_entry(const SparseKind *kind, uint8_t *at, uint64_t entry)
{
    (kind->big_endian ? store_be : store_le)(at, kind->entry_size, entry);
}

/* The page with an entry, and the entry's address in it; NULL: its second table is not there. */
static int find_entry(BlockNode *node, uint64_t index, Page **page, uint8_t **at)
{
    Sparse *s = sparse_of(node);
    uint64_t per_table = s->per_table ? s->per_table : s->entries;
    uint64_t table = s->first ? s->first[index / per_table] : s->table;
    uint64_t mirror = s->first_mirror ? s->first_mirror[index / per_table] : 0;
    uint64_t in_table = index % per_table * s->kind->entry_size;
    uint64_t start = in_table & ~(uint64_t)(PAGE - 1);
    unsigned length = MIN(PAGE, per_table * s->kind->entry_size - start);
    int result;

    *at = NULL;
    if (table == 0) {
        return 0;
    }
    result = page_get(node, table + start, mirror ? mirror + start : 0, length, page);
    if (result == 0) {
        *at = (*page)->data + (in_table - start);
    }
    return result;
}

int sparse_load(BlockNode *node, uint64_t index, uint64_t *entry)
{
    const Sparse *s = sparse_of(node);
    Page *page;
    uint8_t *at;
    int result;

    if (index >= s->entries) {
        return -EIO;
    }
    result = find_entry(node, index, &page, &at);
    *entry = at ? load_entry(s->kind, at) : 0;
    return result;
}

/*
 * What somebody else has put behind the end is not ours, and no zeroes. When it is they who have
 * cut the file off, making it longer would only turn what is gone into zeroes.
 */
static int see_end(BlockNode *node)
{
    Sparse *s = sparse_of(node);
    BlockNode *file = node->children[0];
    uint64_t known = file->length;
    int result = block_look_again(file);

    if (result == 0 && file->length < s->end) {
        file->length = known; /* a flush has to see it, too */
        return -EIO;
    }
    if (result == 0 && file->length > s->end + s->trail) {
        s->end = file->length;
    }
    return result == -ENOTSUP ? 0 : result;
}

/* Room at the end of what is used, which reads as zeroes if that can be had. */
static int take_room(BlockNode *node, uint64_t align, uint64_t length, uint64_t *offset)
{
    Sparse *s = sparse_of(node);
    int result = see_end(node);
    uint64_t at = (s->end + align - 1) / align * align;

    if (result == 0 && at + length > node->children[0]->length) {
        result = block_resize(node->children[0], at + length);
    }
    if (result < 0) {
        return result;
    }
    *offset = at;
    s->end = at + length;
    return 0;
}

/* An empty second table at the end of the file, and its mirror. */
static int add_table(BlockNode *node, uint64_t number)
{
    Sparse *s = sparse_of(node);
    uint64_t bytes = s->per_table * s->kind->entry_size;
    uint64_t align = MAX(s->align, s->table_unit), offset, mirror = 0;
    int result = take_room(node, align, bytes, &offset);

    if (result == 0 && s->first_mirror) {
        result = take_room(node, align, bytes, &mirror);
    }
    if (result < 0) {
        return result;
    }
    for (uint64_t at = 0; at < bytes; at += PAGE) {
        page_dirty(s, page_new(s, offset + at, mirror ? mirror + at : 0, MIN(PAGE, bytes - at)));
    }
    s->first[number] = offset;
    if (s->first_mirror) {
        s->first_mirror[number] = mirror;
    }
    s->first_dirty = true;
    return 0;
}

int sparse_store(BlockNode *node, uint64_t index, uint64_t entry)
{
    Sparse *s = sparse_of(node);
    Page *page;
    uint8_t *at;
    int result;

    if (index >= s->entries) {
        return -EIO;
    }
    if (s->kind->entry_size == 4 && entry > UINT32_MAX) {
        return -EFBIG; /* beyond what the format can say */
    }
    result = find_entry(node, index, &page, &at);
    if (result == 0 && !at) {
        result = add_table(node, index / s->per_table);
        if (result == 0) {
            result = find_entry(node, index, &page, &at);
        }
    }
    if (result == 0) {
        store_entry(s->kind, at, entry);
        page_dirty(s, page);
    }
    return result;
}

/* ---- opening and closing ---- */

static uint64_t *read_first(BlockNode *node, uint64_t offset, GError **error)
{
    const Sparse *s = sparse_of(node);
    unsigned size = s->kind->entry_size;
    uint64_t count = (s->entries + s->per_table - 1) / s->per_table;
    g_autofree uint8_t *bytes = g_try_malloc(count * size + 1);
    uint64_t *first;

    if (!bytes || !format_read(node, offset, bytes, count * size, error)) {
        return NULL;
    }
    first = g_new(uint64_t, count + 1);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t place = load_entry(s->kind, bytes + i * size);

        first[i] = place > INT64_MAX / s->table_unit ? INT64_MAX : place * s->table_unit;
    }
    return first;
}

bool sparse_open(BlockNode *node, GError **error)
{
    Sparse *s = sparse_of(node);
    uint64_t bytes = s->entries * s->kind->entry_size;

    node->cluster = s->block;
    s->end = MAX(s->end, node->children[0]->length);
    s->align = MAX(s->align, 1);
    if (s->entries > ENTRIES_MOST || (s->per_table && bytes / s->per_table > FIRST_MOST)) {
        return block_refuse(node, error, "has tables that are too large");
    }
    if (s->entries < node->length / s->block + (node->length % s->block > 0)) {
        return block_refuse(node, error, "has a table that is too small for its disk");
    }
    s->pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, page_free);
    if (s->per_table == 0) {
        return s->table + bytes <= node->children[0]->length ||
            block_refuse(node, error, "is cut off: its table is beyond the end");
    }
    s->first = read_first(node, s->table, error);
    if (s->first && s->mirror) {
        s->first_mirror = read_first(node, s->mirror, error);
    }
    return s->first && (s->first_mirror || !s->mirror);
}

/* ---- writing the tables ---- */

static int write_pages(BlockNode *node)
{
    Sparse *s = sparse_of(node);
    int result = 0;

    for (GList *link = s->recent.head; link && result == 0 && s->dirty > 0; link = link->next) {
        Page *page = link->data;

        if (!page->dirty) {
            continue;
        }
        result = block_write(node->children[0], page->offset, page->data, page->length, 0);
        if (result == 0 && page->mirror) {
            result = block_write(node->children[0], page->mirror, page->data, page->length, 0);
        }
        page->dirty = result < 0;
        s->dirty -= result == 0;
    }
    return result;
}

static int write_first(BlockNode *node, const uint64_t *first, uint64_t at)
{
    const Sparse *s = sparse_of(node);
    unsigned size = s->kind->entry_size;
    uint64_t count = (s->entries + s->per_table - 1) / s->per_table;
    g_autofree uint8_t *bytes = g_malloc(count * size);

    for (uint64_t i = 0; i < count; i++) {
        store_entry(s->kind, bytes + i * size, first[i] / s->table_unit);
    }
    return block_write(node->children[0], at, bytes, count * size, 0);
}

static int write_firsts(BlockNode *node)
{
    Sparse *s = sparse_of(node);
    int result = block_flush(node->children[0]);

    if (result == 0) {
        result = write_first(node, s->first, s->table);
    }
    if (result == 0 && s->first_mirror) {
        result = write_first(node, s->first_mirror, s->mirror);
    }
    s->first_dirty = result < 0;
    return result;
}

static int commit_locked(BlockNode *node)
{
    Sparse *s = sparse_of(node);
    int result;

    if (s->dirty == 0 && !s->first_dirty) {
        return 0;
    }
    result = block_flush(node->children[0]);
    if (result == 0) {
        result = write_pages(node);
    }
    if (result == 0 && s->first_dirty) {
        result = write_firsts(node);
    }
    return result == 0 && s->kind->committed ? s->kind->committed(node) : result;
}

int sparse_flush(BlockNode *node)
{
    Sparse *s = sparse_of(node);
    int result;

    co_mutex_lock(&s->lock);
    result = commit_locked(node);
    co_mutex_unlock(&s->lock);
    return result;
}

void sparse_close(BlockNode *node)
{
    Sparse *s = sparse_of(node);

    if (s->pages && !node->read_only) {
        sparse_flush(node);
    }
    g_clear_pointer(&s->pages, g_hash_table_unref);
    g_free(s->first);
    g_free(s->first_mirror);
}

/* ---- reading ---- */

static uint64_t index_of(const BlockNode *node, uint64_t block)
{
    const Sparse *s = sparse_of(node);

    return s->kind->index_of ? s->kind->index_of(node, block) : block;
}

/* What a whole block is. */
static int block_extent(BlockNode *node, uint64_t block, Extent *out)
{
    const Sparse *s = sparse_of(node);
    uint64_t entry;
    int result = sparse_load(node, index_of(node, block), &entry);

    *out = (Extent){ .kind = EXTENT_BACKING, .length = s->block, .writable = true };
    if (result < 0) {
        return result;
    }
    s->kind->decode(node, entry, out);
    if (out->kind == EXTENT_DATA &&
        (out->offset >= node->children[0]->length || out->offset < s->first_data)) {
        return -EIO; /* damaged, or cut off */
    }
    return 0;
}

static bool follows(const Extent *one, const Extent *next)
{
    return one->kind == next->kind && one->kind != EXTENT_PACKED &&
        (one->kind != EXTENT_DATA || one->offset + one->length == next->offset);
}

static int map_locked(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    uint64_t size = sparse_of(node)->block;
    uint64_t skip = at % size;
    uint64_t most = MIN(length + skip, (uint64_t)PAGE / 8 * size);
    int result = block_extent(node, at / size, out);

    while (result == 0 && out->length < most) {
        Extent next;

        if (block_extent(node, (at - skip + out->length) / size, &next) < 0 ||
            !follows(out, &next)) {
            break;
        }
        out->length += size;
    }
    out->skip = skip;
    out->offset += skip;
    out->length = MIN(out->length - skip, length);
    return result;
}

int sparse_map(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    Sparse *s = sparse_of(node);
    int result;

    co_mutex_lock(&s->lock);
    result = map_locked(node, at, length, out);
    co_mutex_unlock(&s->lock);
    return result;
}

/* ---- writing ---- */

static int prepare_locked(BlockNode *node)
{
    Sparse *s = sparse_of(node);
    int result = 0;

    if (!s->changed && s->kind->begin) {
        result = s->kind->begin(node);
    }
    s->changed |= result == 0;
    return result == 0 && s->dirty > DIRTY_MOST ? commit_locked(node) : result;
}

/*
 * New places come from behind the end of the file and read as zeroes: so nothing around the data
 * has to be filled in unless something shows through from below.
 */
static int allocate_new(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    Sparse *s = sparse_of(node);
    bool shows_through = out->kind != EXTENT_ZERO && (node->backing || out->kind == EXTENT_PACKED);
    uint64_t skip = at % s->block;
    uint64_t most = s->lead || shows_through ? s->block : MAX(RUN_MOST, s->block);
    uint64_t bytes = (MIN(out->length + skip, most) + s->block - 1) / s->block * s->block;
    uint64_t offset = 0;
    int result;

    result = take_room(node, s->align, s->lead + bytes, &offset);
    *out = (Extent){ .kind = EXTENT_DATA,
        .offset = offset + s->lead + skip,
        .length = MIN(length, bytes - skip),
        .fresh = true };
    if (shows_through) {
        out->head = skip;
        out->tail = bytes - skip - out->length;
    }
    return result;
}

int sparse_allocate(BlockNode *node, uint64_t at, uint64_t length, Extent *out)
{
    Sparse *s = sparse_of(node);
    int result;

    co_mutex_lock(&s->lock);
    result = prepare_locked(node);
    if (result == 0) {
        result = map_locked(node, at, length, out);
    }
    if (result == 0 && out->kind != EXTENT_DATA) {
        result = allocate_new(node, at, length, out);
    }
    co_mutex_unlock(&s->lock);
    return result;
}

int sparse_link(BlockNode *node, uint64_t at, const Extent *fresh)
{
    Sparse *s = sparse_of(node);
    uint64_t skip = at % s->block;
    uint64_t end = at + fresh->length;
    uint64_t place = fresh->offset - skip;
    int result = 0;

    co_mutex_lock(&s->lock);
    for (uint64_t block = at / s->block; block * s->block < end && result == 0; block++) {
        result = s->kind->added ? s->kind->added(node, place) : 0;
        if (result == 0) {
            result = sparse_store(node, index_of(node, block), s->kind->encode(node, place));
        }
        s->blocks_added += result == 0;
        place += s->block;
    }
    co_mutex_unlock(&s->lock);
    return result;
}

int sparse_append(BlockNode *node, uint64_t at, const void *packed, uint64_t length)
{
    Sparse *s = sparse_of(node);
    uint64_t offset = 0;
    int result;

    co_mutex_lock(&s->lock);
    result = prepare_locked(node);
    if (result == 0) {
        result = take_room(node, s->align, length, &offset);
    }
    co_mutex_unlock(&s->lock);
    if (result == 0) {
        result = block_write(node->children[0], offset, packed, length, 0);
    }
    co_mutex_lock(&s->lock);
    if (result == 0) {
        result = sparse_store(node, index_of(node, at / s->block), s->kind->encode(node, offset));
    }
    co_mutex_unlock(&s->lock);
    return result;
}

/* Zeroes one block without moving it. */
static int zero_block(BlockNode *node, uint64_t block, uint64_t length, unsigned flags)
{
    Sparse *s = sparse_of(node);
    Extent extent;
    int result = block_extent(node, block, &extent);

    if (result < 0) {
        return result;
    }
    switch (extent.kind) {
    case EXTENT_ZERO: return 0;
    case EXTENT_DATA: return block_zero(node->children[0], extent.offset, length, flags);
    case EXTENT_BACKING:
        if (!node->backing) {
            return 0;
        }
        G_GNUC_FALLTHROUGH;
    default:
        return s->kind->has_zero ? sparse_store(node, index_of(node, block), s->kind->zero)
                                 : -ENOTSUP;
    }
}

int sparse_zero(BlockNode *node, uint64_t at, uint64_t length, unsigned flags)
{
    Sparse *s = sparse_of(node);
    int result;

    co_mutex_lock(&s->lock);
    result = prepare_locked(node);
    for (uint64_t done = 0; done < length && result == 0; done += s->block) {
        result = zero_block(node, (at + done) / s->block, MIN(s->block, length - done), flags);
    }
    co_mutex_unlock(&s->lock);
    return result;
}

/* Blocks keep their places, but the host gets the space back. */
int sparse_discard(BlockNode *node, uint64_t at, uint64_t length)
{
    int result = 0;

    for (uint64_t done = 0; done < length && result == 0;) {
        Extent extent;

        result = sparse_map(node, at + done, length - done, &extent);
        if (result == 0 && extent.kind == EXTENT_DATA) {
            result = block_io(node->children[0],
                &(BlockIo){ .op = BLOCK_DISCARD, .at = extent.offset, .length = extent.length });
        }
        done += extent.length;
    }
    return result;
}

/* ---- checking ---- */

static int compare_places(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* The next block to look at: there is nothing where a second table is not there. */
static uint64_t skip_absent(const Sparse *s, uint64_t block, uint64_t end)
{
    while (block < end && s->first && !s->kind->index_of && s->first[block / s->per_table] == 0) {
        block = (block / s->per_table + 1) * s->per_table;
    }
    return block;
}

/*
 * Places of all blocks; those that are damaged are counted. A file has room for so many blocks:
 * when there are more, some are in one place, and what the others are does not matter any more.
 */
static void collect(BlockNode *node, BlockCheck *out, GArray *places)
{
    const Sparse *s = sparse_of(node);
    uint64_t room = node->children[0]->length, block = 0;

    while ((block = skip_absent(s, block, out->clusters)) < out->clusters) {
        Extent extent;

        if (places->len > room / s->block + 1 || out->packed > room) {
            out->corruptions++;
            return;
        }
        if (block_extent(node, block, &extent) < 0) {
            out->corruptions++;
        } else if (extent.kind == EXTENT_DATA) {
            g_array_append_val(places, extent.offset);
            out->allocated++;
        } else if (extent.kind == EXTENT_PACKED) {
            out->packed++;
            out->allocated++;
        }
        block++;
    }
}

int sparse_check(BlockNode *node, BlockCheck *out, BlockRepair repair)
{
    Sparse *s = sparse_of(node);
    g_autoptr(GArray) places = g_array_new(false, false, sizeof(uint64_t));

    out->clusters = (node->length + s->block - 1) / s->block;
    if (out->clusters > CHECKED_MOST) {
        return -EFBIG;
    }
    co_mutex_lock(&s->lock);
    collect(node, out, places);
    co_mutex_unlock(&s->lock);
    g_array_sort(places, compare_places);
    for (unsigned i = 1; i < places->len; i++) {
        out->corruptions += g_array_index(places, uint64_t, i) -
                g_array_index(places, uint64_t, i - 1) <
            s->block; /* two blocks in one place */
    }
    out->end = places->len ? g_array_index(places, uint64_t, places->len - 1) + s->block
                           : s->first_data;
    return 0;
}

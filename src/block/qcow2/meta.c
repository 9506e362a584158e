/*
 * The pages of L2 tables and refcount blocks that are in memory. Pages instead of whole tables:
 * a table of an image with large clusters is megabytes, and a guest wants one entry of it.
 */
#include <errno.h>
#include <string.h>

#include "block/qcow2/qcow2.h"

/* For one that is in no table any more. */
static void page_free(void *data)
{
    MetaPage *page = data;

    if (page->dropped && page->pins == 0) {
        g_free(page->data);
        g_free(page);
    }
}

void meta_init(MetaCache *meta, unsigned page_size, unsigned limit)
{
    meta->pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, page_free);
    g_queue_init(&meta->lru);
    meta->page_size = page_size;
    meta->limit = limit;
}

void meta_clear(MetaCache *meta)
{
    for (GList *link = meta->lru.head; link; link = link->next) {
        ((MetaPage *)link->data)->dropped = true;
    }
    g_clear_pointer(&meta->pages, g_hash_table_unref);
}

static void drop(MetaCache *meta, MetaPage *page)
{
    meta->dirty -= page->dirty;
    g_queue_unlink(&meta->lru, &page->lru);
    page->dropped = true;
    g_hash_table_remove(meta->pages, &page->offset);
}

void meta_pin(MetaPage *page)
{
    page->pins++;
}

void meta_unpin(MetaPage *page)
{
    page->pins--;
    page_free(page);
}

/* Dirty pages stay, whatever the limit says: writers commit when they become many. */
static void make_room(MetaCache *meta)
{
    GList *link = meta->lru.tail;

    while (link && meta->lru.length >= meta->limit) {
        MetaPage *page = link->data;

        link = link->prev;
        if (!page->dirty && page->pins == 0) {
            drop(meta, page);
        }
    }
}

static MetaPage *page_new(Qcow2 *q, MetaKind kind, uint64_t offset)
{
    MetaPage *page = g_new0(MetaPage, 1);

    make_room(&q->meta);
    page->offset = offset;
    page->kind = kind;
    page->data = g_malloc0(q->meta.page_size);
    page->lru.data = page;
    g_hash_table_insert(q->meta.pages, &page->offset, page);
    g_queue_push_head_link(&q->meta.lru, &page->lru);
    return page;
}

/* The page that was wanted last is most often wanted next: a check asks for each entry of it. */
static MetaPage *find(MetaCache *meta, uint64_t at)
{
    MetaPage *latest = meta->lru.head ? meta->lru.head->data : NULL;

    return latest && latest->offset == at ? latest : g_hash_table_lookup(meta->pages, &at);
}

int meta_get(Qcow2 *q, MetaKind kind, uint64_t offset, MetaPage **out)
{
    uint64_t at = offset & ~(uint64_t)(q->meta.page_size - 1);
    MetaPage *page = find(&q->meta, at);
    int result;

    if (page && &page->lru != q->meta.lru.head) {
        g_queue_unlink(&q->meta.lru, &page->lru);
        g_queue_push_head_link(&q->meta.lru, &page->lru);
    }
    if (page) {
        *out = page;
        return 0;
    }
    if (at >= q->file->length) {
        return -EIO; /* a table beyond the end: the file has been cut off */
    }
    page = page_new(q, kind, at);
    result = block_read(q->file, at, page->data, q->meta.page_size);
    if (result < 0) {
        drop(&q->meta, page);
        return result;
    }
    *out = page;
    return 0;
}

MetaPage *meta_new(Qcow2 *q, MetaKind kind, uint64_t offset)
{
    MetaPage *page;

    meta_drop(q, offset, q->meta.page_size);
    page = page_new(q, kind, offset);
    meta_dirty(q, page);
    return page;
}

void meta_dirty(Qcow2 *q, MetaPage *page)
{
    if (!page->dropped && !page->dirty) {
        q->meta.dirty++;
        page->dirty = true;
    }
}

void meta_drop(Qcow2 *q, uint64_t offset, uint64_t length)
{
    for (uint64_t at = offset; at < offset + length; at += q->meta.page_size) {
        MetaPage *page = g_hash_table_lookup(q->meta.pages, &at);

        if (page) {
            drop(&q->meta, page);
        }
    }
}

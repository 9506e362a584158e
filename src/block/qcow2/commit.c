/*
 * Writing changed tables to the file so that a loss of power between any two writes leaves an
 * image that is whole. What is written is what the tables said when the commit began: copies are
 * taken under the lock, and others may go on changing the pages meanwhile.
 */
#include <errno.h>
#include <string.h>

#include "block/qcow2/qcow2.h"

typedef struct Copy {
    MetaPage *page;
    uint8_t *data;
} Copy;

typedef struct TableCopy {
    uint64_t *entries; /* big endian */
    uint32_t from, to; /* half open */
    uint64_t offset;   /* of the table */
} TableCopy;

typedef struct Commit {
    GArray *pages[2]; /* of Copy, by MetaKind */
    TableCopy l1, reftable;
    GArray *to_free;
    bool fresh_data;
} Commit;

static void copy_clear(void *data)
{
    g_free(((Copy *)data)->data);
}

/* ---- taking copies, with the lock ---- */

static void take_pages(Qcow2 *q, Commit *c)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        c->pages[kind] = g_array_new(false, false, sizeof(Copy));
        g_array_set_clear_func(c->pages[kind], copy_clear);
    }
    for (GList *link = q->meta.lru.head; link && q->meta.dirty > 0; link = link->next) {
        MetaPage *page = link->data;
        Copy copy = { page, NULL };

        if (page->dirty) {
            copy.data = g_memdup2(page->data, q->meta.page_size);
            page->dirty = false;
            meta_pin(page);
            q->meta.dirty--;
            g_array_append_val(c->pages[page->kind], copy);
        }
    }
}

static void take_table(Qcow2Table *table, TableCopy *copy)
{
    copy->from = table->dirty_from;
    copy->to = table->dirty_to;
    copy->offset = table->offset;
    copy->entries = g_new(uint64_t, copy->to - copy->from);
    for (uint32_t i = copy->from; i < copy->to; i++) {
        copy->entries[i - copy->from] = GUINT64_TO_BE(table->entries[i]);
    }
    table->dirty_from = table->dirty_to = 0;
}

static void take(Qcow2 *q, Commit *c)
{
    take_pages(q, c);
    take_table(&q->l1, &c->l1);
    take_table(&q->reftable, &c->reftable);
    c->to_free = q->to_free;
    q->to_free = g_array_new(false, false, sizeof(uint64_t));
    c->fresh_data = q->fresh_data;
    q->fresh_data = false;
}

/* ---- after a failure all of it is dirty again ---- */

static void give_back_table(Qcow2Table *table, const TableCopy *copy)
{
    if (copy->from == copy->to) {
        return;
    }
    if (table->dirty_from == table->dirty_to) {
        table->dirty_from = copy->from;
    }
    table->dirty_from = MIN(table->dirty_from, copy->from);
    table->dirty_to = MAX(table->dirty_to, copy->to);
}

static void give_back(Qcow2 *q, Commit *c)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        for (unsigned i = 0; i < c->pages[kind]->len; i++) {
            meta_dirty(q, g_array_index(c->pages[kind], Copy, i).page);
        }
    }
    give_back_table(&q->l1, &c->l1);
    give_back_table(&q->reftable, &c->reftable);
    g_array_append_vals(q->to_free, c->to_free->data, c->to_free->len);
    q->fresh_data |= c->fresh_data;
}

static void release(Commit *c)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        for (unsigned i = 0; i < c->pages[kind]->len; i++) {
            meta_unpin(g_array_index(c->pages[kind], Copy, i).page);
        }
        g_array_unref(c->pages[kind]);
    }
    g_array_unref(c->to_free);
    g_free(c->l1.entries);
    g_free(c->reftable.entries);
}

/* ---- writing ---- */

static int write_pages(Qcow2 *q, const GArray *copies)
{
    int result = 0;

    for (unsigned i = 0; i < copies->len && result == 0; i++) {
        const Copy *copy = &g_array_index(copies, Copy, i);

        result = block_write(q->file, copy->page->offset, copy->data, q->meta.page_size, 0);
    }
    return result;
}

static int write_table(Qcow2 *q, const TableCopy *copy)
{
    uint64_t at = copy->offset + copy->from * sizeof(uint64_t);

    return copy->from == copy->to
        ? 0
        : block_write(q->file, at, copy->entries, (copy->to - copy->from) * sizeof(uint64_t), 0);
}

static int barrier_if(Qcow2 *q, bool needed)
{
    int result = 0;

    if (needed && q->external) {
        result = block_flush(q->data);
    }
    return needed && result == 0 ? block_flush(q->file) : result;
}

static bool has_entries(const TableCopy *copy)
{
    return copy->from < copy->to;
}

static int write_all(Qcow2 *q, const Commit *c)
{
    bool references = c->pages[META_L2]->len > 0 || has_entries(&c->l1);
    bool refcounts = c->pages[META_REFCOUNT]->len > 0;
    bool newer_blocks = has_entries(&c->reftable);
    int result = write_pages(q, c->pages[META_REFCOUNT]);

    if (result == 0) {
        result = barrier_if(q, newer_blocks);
    }
    if (result == 0) {
        result = write_table(q, &c->reftable);
    }
    if (result == 0) {
        result = barrier_if(q, references && (refcounts || newer_blocks || c->fresh_data));
    }
    if (result == 0) {
        result = write_pages(q, c->pages[META_L2]);
    }
    if (result == 0) {
        result = barrier_if(q, c->pages[META_L2]->len > 0 && has_entries(&c->l1));
    }
    if (result == 0) {
        result = write_table(q, &c->l1);
    }
    return result == 0 ? barrier_if(q, c->to_free->len > 0) : result;
}

static bool is_clean(const Qcow2 *q)
{
    return q->meta.dirty == 0 && q->l1.dirty_from == q->l1.dirty_to &&
        q->reftable.dirty_from == q->reftable.dirty_to && q->to_free->len == 0;
}

static int commit_once(Qcow2 *q)
{
    Commit c = { 0 };
    int result;

    co_mutex_lock(&q->lock);
    if (is_clean(q)) {
        co_mutex_unlock(&q->lock);
        return 0;
    }
    take(q, &c);
    co_mutex_unlock(&q->lock);
    result = write_all(q, &c);
    co_mutex_lock(&q->lock);
    if (result < 0) {
        give_back(q, &c);
    } else {
        result = refcount_apply_frees(q, c.to_free);
    }
    release(&c);
    co_mutex_unlock(&q->lock);
    return result;
}

int qcow2_commit(Qcow2 *q)
{
    int result;

    co_mutex_lock(&q->committing);
    result = commit_once(q);
    co_mutex_unlock(&q->committing);
    return result;
}

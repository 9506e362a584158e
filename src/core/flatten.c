#include "core/flatten.h"

#include "core/region-impl.h"

/* ---- making ---- */

static FlatRange leaf_range(Region *leaf, uint64_t from, uint64_t length, GuestAddr at)
{
    bool reads_host = leaf->kind != REGION_ROM_DEVICE || leaf->rom_mode;

    return (FlatRange){
        .start = at,
        .size = length,
        .region = leaf,
        .offset = from,
        .host = leaf->host && reads_host ? leaf->host + from : NULL,
        .readonly = leaf->host && leaf->kind != REGION_RAM,
    };
}

static GuestAddr last_address(const FlatRange *range)
{
    return range->start + (range->size - 1);
}

/* Puts a range into what is still free: what is there already has a higher layer. */
static void add_range(GArray *ranges, FlatRange range)
{
    GuestAddr at = range.start, last = last_address(&range);

    for (unsigned i = 0;; i++) {
        const FlatRange *next = i < ranges->len ? &g_array_index(ranges, FlatRange, i) : NULL;

        if (next && last_address(next) < at) {
            continue;
        }
        if (!next || at < next->start) {
            GuestAddr free_last = next && next->start <= last ? next->start - 1 : last;
            FlatRange piece = leaf_range(
                range.region, range.offset + (at - range.start), free_last - at + 1, at);

            g_array_insert_val(ranges, i, piece);
            if (free_last == last) {
                return;
            }
            at = free_last + 1;
        } else if (last_address(next) >= last) {
            return;
        } else {
            at = last_address(next) + 1;
        }
    }
}

/* Bytes `from` ... `from + length` of region are seen at `at`. */
static void render(GArray *ranges, Region *region, uint64_t from, uint64_t length, GuestAddr at)
{
    if (from >= region->size || length == 0) {
        return;
    }
    length = MIN(length, region->size - from);
    if (region->kind == REGION_ALIAS) {
        render(ranges, region->target, region->target_offset + from, length, at);
        return;
    }
    if (region->kind != REGION_CONTAINER) {
        add_range(ranges, leaf_range(region, from, length, at));
        return;
    }
    for (unsigned i = 0; i < region->children->len; i++) {
        Region *child = region->children->pdata[i];
        uint64_t skip = from > child->at ? from - child->at : 0;
        uint64_t lead = child->at > from ? child->at - from : 0;

        if (lead < length) {
            render(ranges, child, skip, length - lead, at + lead);
        }
    }
}

FlatMap *flat_map_new(Region *root)
{
    g_autoptr(GArray) ranges = g_array_new(false, false, sizeof(FlatRange));
    FlatMap *map;

    render(ranges, root, 0, root->size, 0);
    map = g_malloc0(sizeof(FlatMap) + ranges->len * sizeof(FlatRange));
    map->count = ranges->len;
    for (unsigned i = 0; i < map->count; i++) {
        map->ranges[i] = g_array_index(ranges, FlatRange, i);
        region_ref(map->ranges[i].region);
    }
    return map;
}

void flat_map_free(FlatMap *map)
{
    for (unsigned i = 0; map && i < map->count; i++) {
        region_unref(map->ranges[i].region);
    }
    g_free(map);
}

/* ---- using ---- */

static bool holds(const FlatRange *range, GuestAddr address)
{
    return address - range->start < range->size;
}

const FlatRange *flat_map_find(const FlatMap *map, GuestAddr address)
{
    unsigned low = 0, high = map->count;
    unsigned hint = __atomic_load_n(&map->last_hit, __ATOMIC_RELAXED);

    if (hint < map->count && holds(&map->ranges[hint], address)) {
        return &map->ranges[hint];
    }
    while (low < high) {
        unsigned middle = (low + high) / 2;
        const FlatRange *range = &map->ranges[middle];

        if (holds(range, address)) {
            __atomic_store_n(&((FlatMap *)map)->last_hit, middle, __ATOMIC_RELAXED);
            return range;
        }
        if (address < range->start) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static bool same_range(const FlatRange *a, const FlatRange *b)
{
    return a->start == b->start && a->size == b->size && a->region == b->region &&
        a->offset == b->offset && a->host == b->host && a->readonly == b->readonly;
}

bool flat_map_equal(const FlatMap *a, const FlatMap *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (unsigned i = 0; i < a->count; i++) {
        if (!same_range(&a->ranges[i], &b->ranges[i])) {
            return false;
        }
    }
    return true;
}

/* The format `luks`: a whole disk encrypted behind a LUKS1 header. */
#include <string.h>

#include "block/bytes.h"
#include "block/crypt/luks1.h"

typedef struct Luks {
    CryptNode node; /* first: crypt_transfer() takes the state for one */
    Luks1 header;
} Luks;

/* Where disks begin that cryptsetup makes. */
enum { PAYLOAD_ALIGN = 1 << 20 };

static bool luks_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    Luks *l = node->state;
    const BlockNode *file = node->children[0];

    if (!luks1_read(node, 0, file->length, &l->header, error)) {
        return false;
    }
    if (l->header.payload > file->length || l->header.payload < LUKS1_HEADER) {
        return block_refuse(node, error, "has its data out of place, or is cut off");
    }
    if (!crypt_stays_locked(&options->key)) {
        l->node.cipher = luks1_unlock(node, 0, &l->header, &options->key, error);
    }
    l->node.payload = l->header.payload;
    node->length = (file->length - l->header.payload) & ~(uint64_t)(CIPHER_SECTOR - 1);
    node->align = CIPHER_SECTOR;
    node->noisy = true;
    return l->node.cipher || crypt_stays_locked(&options->key);
}

static int luks_resize(BlockNode *node, uint64_t length)
{
    const Luks *l = node->state;
    int result = block_resize(node->children[0], l->node.payload + length);

    node->length = result == 0 ? length : node->length;
    return result;
}

static void luks_describe(BlockNode *node, BlockFact *add, GString *out)
{
    const Luks *l = node->state;
    g_autofree char *cipher = g_strdup_printf("aes-%s", cipher_kind_mode(l->header.kind));
    g_autofree char *bits = g_strdup_printf("%zu", l->header.key_length * 8);
    unsigned slots = 0;

    for (unsigned i = 0; i < LUKS1_SLOTS; i++) {
        slots += l->header.slots[i].active;
    }
    add(out, "cipher", cipher);
    add(out, "key_bits", bits);
    add(out, "hash", l->header.hash_name);
    add(out, "uuid", l->header.uuid);
    add(out, "key_slots", (char[2]){ '0' + slots, '\0' });
}

static bool luks_create(BlockNode *file, const BlockCreate *create, GError **error)
{
    uint64_t size = (create->size + CIPHER_SECTOR - 1) & ~(uint64_t)(CIPHER_SECTOR - 1);
    g_autoptr(GByteArray) header = NULL;
    BlockPreallocation preallocation;
    Luks1Wanted wanted;
    int result;

    if (!luks1_read_wanted(file, create, "", &wanted, error) ||
        !block_create_preallocation(create, false, &preallocation, error)) {
        return false;
    }
    header = luks1_build(file, &wanted, &create->key, error);
    if (!header) {
        return false;
    }
    g_byte_array_set_size(header, (header->len + PAYLOAD_ALIGN - 1) & ~(PAYLOAD_ALIGN - 1u));
    memset(header->data + luks1_room(&wanted), 0, header->len - luks1_room(&wanted));
    store_be(header->data + 104, 4, header->len / CIPHER_SECTOR);
    result = block_write(file, 0, header->data, header->len, 0);
    if (result == 0) {
        result = block_preallocate(file, header->len, size, preallocation);
    }
    return result == 0 || block_refuse(file, error, "cannot be written: %s", g_strerror(-result));
}

static const char *const create_options[] = { "cipher-alg", "cipher-mode", "hash-alg", "iter-time",
    "ivgen-alg", "ivgen-hash-alg", "preallocation", NULL };

BLOCK_DRIVER(luks) = {
    .name = "luks",
    .state_size = sizeof(Luks),
    .probe = luks1_probe,
    .open = luks_open,
    .close = crypt_close,
    .transfer = crypt_transfer,
    .resize = luks_resize,
    .describe = luks_describe,
    .create = luks_create,
    .create_options = create_options,
};

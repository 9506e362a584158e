/* Encrypts what goes to the child, and decrypts what comes from it. */
#include <errno.h>
#include <string.h>

#include "block/crypt/cipher.h"

enum { PIECE = 1 << 20 };

static int move_piece(BlockNode *node, const BlockIo *io, uint64_t done, uint8_t *buffer)
{
    const CryptNode *c = node->state;
    uint64_t length = MIN(io->length - done, PIECE), at = io->at + done;
    BlockMemory memory = io->op == BLOCK_ZERO ? io->memory : block_memory_after(io->memory, done);
    int result;

    if (io->op == BLOCK_READ) {
        result = block_read(node->children[0], c->payload + at, buffer, length);
        if (result == 0) {
            cipher_decrypt(c->cipher, at / CIPHER_SECTOR, buffer, length);
            block_memory_store(memory, buffer, length);
        }
        return result;
    }
    if (io->op == BLOCK_ZERO) {
        memset(buffer, 0, length);
    } else {
        block_memory_load(memory, buffer, length);
    }
    cipher_encrypt(c->cipher, at / CIPHER_SECTOR, buffer, length);
    return block_write(
        node->children[0], c->payload + at, buffer, length, io->flags & BLOCK_DURABLE);
}

static int move(BlockNode *node, const BlockIo *io)
{
    uint8_t *buffer = g_try_malloc(MIN(io->length, PIECE));
    int result = buffer ? 0 : -ENOMEM;

    for (uint64_t done = 0; done < io->length && result == 0; done += PIECE) {
        result = move_piece(node, io, done, buffer);
    }
    g_free(buffer);
    return result;
}

/* A discard is not passed on: it would show what is in use to who has no key. */
int crypt_transfer(BlockNode *node, const BlockIo *io)
{
    const CryptNode *c = node->state;

    switch (io->op) {
    case BLOCK_FLUSH: return c->flushed_above ? 0 : block_flush(node->children[0]);
    case BLOCK_DISCARD: return 0;
    default: return c->cipher ? move(node, io) : -EACCES;
    }
}

void crypt_close(BlockNode *node)
{
    CryptNode *c = node->state;

    cipher_free(c->cipher);
}

static bool crypt_open(BlockNode *node, const BlockOptions *options, GError **error)
{
    block_be_like(node, node->children[0]);
    node->align = CIPHER_SECTOR;
    return true;
}

/* Inside of an image, where no name leads to it. */
static const BlockDriver crypt_driver = {
    .name = "crypt",
    .filter = true,
    .state_size = sizeof(CryptNode),
    .open = crypt_open,
    .close = crypt_close,
    .transfer = crypt_transfer,
    .resize = block_resize_through,
};

BlockNode *crypt_node_new(BlockNode *child, Cipher *cipher, bool flushed_above)
{
    BlockOptions options = { .cache = child->cache, .read_only = child->read_only };
    BlockNode *node = block_open(
        child->loop, &crypt_driver, &options, block_ref(child), NULL, NULL);
    CryptNode *c = node->state;

    c->cipher = cipher;
    c->flushed_above = flushed_above;
    return node;
}

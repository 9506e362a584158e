/*
 * Any bytes as an image of one of the formats, which the first byte chooses (or FUZZ_FORMAT, by its
 * name, and FUZZ_OPTIONS: encrypt.format=luks,encrypt.iter-time=1). Its top bit says what the others
 * are: a whole file, or patches to an image that is whole.
 * Nothing may crash, hang or take memory without bound.
 *
 * folders: core block block/crypt block/formats block/qcow2
 */
#include "tests/fuzz/image.h"

#include <stdlib.h>
#include <string.h>

extern const BlockDriver vdi_block_driver, vpc_block_driver, vmdk_block_driver, vhdx_block_driver,
    qed_block_driver, parallels_block_driver, qcow2_block_driver, qcow_block_driver,
    bochs_block_driver, cloop_block_driver, dmg_block_driver, luks_block_driver, raw_block_driver,
    ram_block_driver, file_block_driver;
const BlockDriver *const block_drivers[] = { &vdi_block_driver, &vpc_block_driver,
    &vmdk_block_driver, &vhdx_block_driver, &qed_block_driver, &parallels_block_driver,
    &qcow2_block_driver, &qcow_block_driver, &bochs_block_driver, &cloop_block_driver,
    &dmg_block_driver, &luks_block_driver, &raw_block_driver, &ram_block_driver, &file_block_driver,
    NULL };

enum { FORMATS = 12, PATCHES = 0x80, DISK = 1 << 20 };

typedef struct Base {
    IoLoop *loop;
    const BlockDriver *driver;
    GByteArray *bytes; /* NULL: the format cannot be made */
} Base;

/* Small tables, so that patches hit them. */
static const struct {
    const char *format, *options;
} options_of[] = {
    { "qcow2", "cluster_size=4k" },
    { "vhdx", "block_size=1M" },
    { "qed", "cluster_size=4k,table_size=2" },
    { "parallels", "cluster_size=64k" },
    { "luks", "iter-time=1" },
};

static const char *find_options(const char *format)
{
    if (getenv("FUZZ_OPTIONS")) {
        return getenv("FUZZ_OPTIONS");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(options_of); i++) {
        if (strcmp(options_of[i].format, format) == 0) {
            return options_of[i].options;
        }
    }
    return NULL;
}

static void base_main(void *data)
{
    Base *base = data;
    const char *text = find_options(base->driver->name);
    GHashTable *options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    BlockCreate create = {
        .size = DISK, .path = "disk", .key = { .text = "key" }, .options = options
    };
    BlockOptions opening = { .memory = g_byte_array_new(), .key = { .text = "key" } };
    BlockNode *file, *image;

    g_assert(!text || block_parse_options(text, options, NULL));
    cache_from_word("writeback", &opening.cache);
    file = block_open(base->loop, block_driver_find("memory"), &opening, NULL, NULL, NULL);
    g_assert(base->driver->create(file, &create, NULL));
    image = block_open(base->loop, base->driver, &opening, file, NULL, NULL);
    g_assert(image);
    fuzz_use(image, true);
    block_unref(image);
    base->bytes = opening.memory;
    g_hash_table_unref(options);
}

/* Made once. */
static const GByteArray *find_base(const BlockDriver *driver)
{
    static Base bases[G_N_ELEMENTS(block_drivers)];
    Base *base = bases;

    while (base->driver && base->driver != driver) {
        base++;
    }
    if (!base->driver && driver->create) {
        *base = (Base){ .loop = io_loop_new(NULL), .driver = driver };
        io_loop_run(base->loop, base_main, base);
        io_loop_free(base->loop);
    }
    return base->bytes;
}

/* Each is where (3 bytes), how many bytes (1), and these. */
static void fuzz_patches(const BlockDriver *driver, const uint8_t *bytes, size_t size)
{
    enum { HEAD = 4 };
    const GByteArray *base = find_base(driver);
    g_autofree uint8_t *image = base ? g_memdup2(base->data, base->len) : NULL;

    while (image && size > HEAD) {
        uint32_t at = (bytes[0] | bytes[1] << 8 | bytes[2] << 16) % base->len;
        size_t length = MIN(MIN(bytes[3], size - HEAD), base->len - at);

        memcpy(image + at, bytes + HEAD, length);
        bytes += HEAD + length;
        size -= HEAD + length;
    }
    if (image) {
        fuzz_image(driver, image, base->len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *name = getenv("FUZZ_FORMAT");
    const BlockDriver *driver;

    if (size == 0) {
        return 0;
    }
    driver = name ? block_driver_find(name) : block_drivers[(bytes[0] & ~PATCHES) % FORMATS];
    if (bytes[0] & PATCHES) {
        fuzz_patches(driver, bytes + 1, size - 1);
    } else {
        fuzz_image(driver, bytes + 1, size - 1);
    }
    return 0;
}

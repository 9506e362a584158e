#include "core/image-impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Nothing that unpacks to more than this is a kernel; a small file can ask for terabytes. */
enum { MAX_UNPACKED = 1 << 30 };

G_DEFINE_QUARK(image - error, image_error)

bool image_truncated(const Image *image, GError **error, const char *what)
{
    g_set_error(
        error, IMAGE_ERROR, IMAGE_ERROR_TRUNCATED, "`%s` is truncated: %s", image->path, what);
    return false;
}

bool image_bad(const Image *image, GError **error, const char *what)
{
    g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_BAD, "`%s` is damaged: %s", image->path, what);
    return false;
}

void image_add_segment(Image *image, ImageSegment segment)
{
    g_array_append_val(image->segments, segment);
}

/* ---- the bytes ---- */

static bool read_fd(int fd, uint64_t offset, void *out, uint64_t length)
{
    uint8_t *to = out;

    while (length > 0) {
        ssize_t got = pread(fd, to, MIN(length, 1 << 30), offset);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        to += got;
        offset += got;
        length -= got;
    }
    return true;
}

bool image_read(const Image *image, uint64_t offset, void *out, uint64_t length)
{
    if (offset > image->length || length > image->length - offset) {
        return false;
    }
    if (!image->packed) {
        return read_fd(image->fd, offset, out, length);
    }
    if (!image->unpacked) {
        return false;
    }
    memcpy(out, image->unpacked + offset, length);
    return true;
}

/* Inflates all there is; the stream's end decides, not the length it claims. */
static int inflate_all(const uint8_t *data, uint64_t length, GByteArray *out)
{
    z_stream stream = { .next_in = (uint8_t *)data, .avail_in = length };
    uint64_t filled = 0;
    int status = inflateInit2(&stream, 16 + MAX_WBITS);

    while (status == Z_OK && filled < MAX_UNPACKED) {
        g_byte_array_set_size(out, MAX(2 * filled, 1 << 20));
        stream.next_out = out->data + filled;
        stream.avail_out = out->len - filled;
        status = inflate(&stream, Z_NO_FLUSH);
        filled = out->len - stream.avail_out;
    }
    g_byte_array_set_size(out, filled);
    inflateEnd(&stream);
    return status;
}

/* Unpacks `length` bytes of the file from offset on. */
static bool unpack(Image *image, uint64_t offset, uint64_t length, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree uint8_t *data = g_try_malloc(length);
    int status;

    if (!data || !read_fd(image->fd, offset, data, length)) {
        return image_truncated(image, error, "it cannot be read to its end");
    }
    status = inflate_all(data, length, out);
    if (status == Z_OK) {
        return image_bad(image, error, "it unpacks to more than 1 GiB");
    }
    if (status == Z_BUF_ERROR) {
        return image_truncated(image, error, "its gzip stream does not end");
    }
    if (status != Z_STREAM_END) {
        return image_bad(image, error, "its gzip stream is not one");
    }
    image->packed = true;
    image->length = out->len;
    image->unpacked = g_byte_array_free(g_steal_pointer(&out), false);
    return true;
}

static bool is_gzip(const uint8_t *head)
{
    return head[0] == 0x1f && head[1] == 0x8b;
}

/* The EFI "zboot" wrapper (Linux, drivers/firmware/efi/libstub/zboot-header.S). */
static bool is_zboot(const uint8_t *head)
{
    return memcmp(head, "MZ\0\0zimg", 8) == 0;
}

static uint64_t little(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, at, size);
    return GUINT64_FROM_LE(value);
}

static bool unpack_zboot(Image *image, const uint8_t *head, GError **error)
{
    uint64_t offset = little(head + 8, 4), length = little(head + 12, 4);

    if (strncmp((const char *)head + 24, "gzip", 5) != 0) {
        return image_bad(image, error, "its kernel is packed with something other than gzip");
    }
    if (offset > image->file_length || length > image->file_length - offset) {
        return image_truncated(image, error, "its packed kernel reaches beyond its end");
    }
    return unpack(image, offset, length, error);
}

enum { HEAD_SIZE = 64 };

static bool unpack_if_packed(Image *image, GError **error)
{
    uint8_t head[HEAD_SIZE] = { 0 };

    if (!read_fd(image->fd, 0, head, MIN(image->file_length, HEAD_SIZE))) {
        return image_truncated(image, error, "it cannot be read to its end");
    }
    if (is_gzip(head)) {
        return unpack(image, 0, image->file_length, error);
    }
    return !is_zboot(head) || unpack_zboot(image, head, error);
}

/* ---- Linux Images (Linux, Documentation/arch: riscv/boot-image-header.rst, arm64/booting.rst) */

static const char *linux_arch(const uint8_t *head)
{
    if (memcmp(head + 56, "RSC\x05", 4) == 0) {
        return "riscv";
    }
    return memcmp(head + 56, "ARM\x64", 4) == 0 ? "aarch64" : NULL;
}

/*
 * The header says how much memory the kernel wants, not how long its file is; the sections of the
 * PE header that makes it an EFI program as well do.
 */
static bool all_sections_are_there(const Image *image, uint64_t pe)
{
    uint8_t header[24], section[40];
    uint64_t table;

    if (pe < 64 || !image_read(image, pe, header, sizeof(header)) ||
        memcmp(header, "PE\0\0", 4) != 0) {
        return true;
    }
    table = pe + sizeof(header) + little(header + 20, 2);
    for (unsigned i = 0; i < little(header + 6, 2); i++) {
        if (!image_read(image, table + i * sizeof(section), section, sizeof(section)) ||
            little(section + 20, 4) + little(section + 16, 4) > image->length) {
            return false;
        }
    }
    return true;
}

static bool parse_linux(Image *image, const uint8_t *head, GError **error)
{
    uint64_t size = little(head + 16, 8);

    image->kind = IMAGE_LINUX;
    image->arch = linux_arch(head);
    image->text_offset = little(head + 8, 8);
    if (!all_sections_are_there(image, little(head + 60, 4))) {
        return image_truncated(image, error, "a section of its header reaches beyond its end");
    }
    image_add_segment(
        image, (ImageSegment){ .size = MAX(size, image->length), .length = image->length });
    return true;
}

/* ---- opening ---- */

static void parse_flat(Image *image)
{
    image->kind = IMAGE_FLAT;
    image_add_segment(image, (ImageSegment){ .size = image->length, .length = image->length });
}

static bool parse(Image *image, GError **error)
{
    uint8_t head[HEAD_SIZE] = { 0 };

    image_read(image, 0, head, MIN(image->length, HEAD_SIZE));
    if (memcmp(head, "\177ELF", 4) == 0) {
        return image_parse_elf(image, error);
    }
    if (linux_arch(head)) {
        return parse_linux(image, head, error);
    }
    parse_flat(image);
    return true;
}

static bool open_file(Image *image, GError **error)
{
    struct stat info = { 0 };

    image->fd = open(image->path, O_RDONLY | O_CLOEXEC);
    if (image->fd < 0 || fstat(image->fd, &info) < 0) {
        int saved = errno;

        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(saved), "`%s` cannot be read: %s",
            image->path, g_strerror(saved));
        return false;
    }
    if (!S_ISREG(info.st_mode)) {
        return image_bad(image, error, "it is not a file");
    }
    if (info.st_size == 0) {
        return image_truncated(image, error, "it is empty");
    }
    image->file_length = image->length = info.st_size;
    return true;
}

static void clear_symbol(void *symbol)
{
    g_free(((ImageSymbol *)symbol)->name);
}

static Image *image_new(const char *path)
{
    Image *image = g_new0(Image, 1);

    image->path = g_strdup(path);
    image->fd = -1;
    image->segments = g_array_new(false, false, sizeof(ImageSegment));
    image->symbols = g_array_new(false, false, sizeof(ImageSymbol));
    g_array_set_clear_func(image->symbols, clear_symbol);
    return image;
}

Image *image_open(const char *path, GError **error)
{
    g_autoptr(Image) image = image_new(path);

    if (!open_file(image, error) || !unpack_if_packed(image, error) || !parse(image, error)) {
        return NULL;
    }
    return g_steal_pointer(&image);
}

Image *image_open_raw(const char *path, GError **error)
{
    g_autoptr(Image) image = image_new(path);

    if (!open_file(image, error)) {
        return NULL;
    }
    parse_flat(image);
    return g_steal_pointer(&image);
}

void image_unload(Image *image)
{
    g_clear_pointer(&image->unpacked, g_free);
}

void image_free(Image *image)
{
    if (image) {
        image_unload(image);
        if (image->fd >= 0) {
            close(image->fd);
        }
        g_array_unref(image->segments);
        g_array_unref(image->symbols);
        g_free(image->path);
        g_free(image);
    }
}

/* ---- placing ---- */

void image_span(const Image *image, GuestAddr *first, GuestAddr *end)
{
    *first = UINT64_MAX;
    *end = 0;
    for (unsigned i = 0; i < image->segments->len; i++) {
        const ImageSegment *segment = &g_array_index(image->segments, ImageSegment, i);

        *first = MIN(*first, segment->at);
        *end = MAX(*end, segment->at + segment->size);
    }
}

/* What was never touched stays so: whole pages are given back to the host. */
static void put_zeroes(uint8_t *to, uint64_t length)
{
    const uint64_t page = UINT64_C(1) << PAGE_BITS;
    uint64_t head = MIN(length, -(uintptr_t)to & (page - 1));
    uint64_t whole = (length - head) & ~(page - 1);

    memset(to, 0, head);
    if (whole > 0 && madvise(to + head, whole, MADV_REMOVE) < 0) {
        memset(to + head, 0, whole);
    }
    memset(to + head + whole, 0, length - head - whole);
}

/* Bytes of the file, then zeroes, into one stretch of host memory. */
static bool fill(
    const Image *image, const ImageSegment *segment, uint64_t skip, uint8_t *to, uint64_t length)
{
    uint64_t from_file = skip < segment->length ? MIN(length, segment->length - skip) : 0;

    put_zeroes(to + from_file, length - from_file);
    return image_read(image, segment->offset + skip, to, from_file);
}

static bool place_segment(const Image *image, const ImageSegment *segment, AddressSpace *memory,
    GuestAddr base, GError **error)
{
    for (uint64_t done = 0; done < segment->size;) {
        uint64_t part = segment->size - done;
        GuestAddr at = base + segment->at + done;
        uint8_t *host = address_space_map_memory(memory, at, &part);

        if (!host) {
            g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_NO_ROOM,
                "`%s` wants memory at 0x%" G_GINT64_MODIFIER "x, where none is", image->path, at);
            return false;
        }
        if (!fill(image, segment, done, host, part)) {
            return image_truncated(image, error, "it cannot be read to its end");
        }
        address_space_filled(memory, at, part);
        done += part;
    }
    return true;
}

bool image_place(Image *image, AddressSpace *memory, GuestAddr base, GError **error)
{
    if (image->packed && !image->unpacked && !unpack_if_packed(image, error)) {
        return false;
    }
    for (unsigned i = 0; i < image->segments->len; i++) {
        const ImageSegment *segment = &g_array_index(image->segments, ImageSegment, i);

        if (!place_segment(image, segment, memory, base, error)) {
            return false;
        }
    }
    return true;
}

const ImageSymbol *image_symbol(const Image *image, uint64_t at)
{
    unsigned low = 0, high = image->symbols->len;
    const ImageSymbol *best = NULL;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        const ImageSymbol *symbol = &g_array_index(image->symbols, ImageSymbol, middle);

        if (symbol->at <= at) {
            best = symbol;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    /* A symbol without a size (assembly) reaches to the next one. */
    return best && (best->size == 0 || at - best->at < best->size) ? best : NULL;
}

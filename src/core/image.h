/*
 * Files that a machine boots: what they are, and where in guest memory their parts belong.
 *
 * Files are hostile: every size and offset in them is checked against the file and against RAM.
 * A file stays open, so that a reset can put it back; its bytes go from it straight into RAM.
 */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#include "core/address-space.h"

typedef enum ImageKind {
    IMAGE_FLAT,  /* bytes, to be put where the board says */
    IMAGE_LINUX, /* Linux Image of RISC-V or arm64: has a header with sizes */
    IMAGE_ELF,
} ImageKind;

typedef enum ImageError {
    IMAGE_ERROR_TRUNCATED,
    IMAGE_ERROR_BAD,     /* it is not what it claims */
    IMAGE_ERROR_NO_ROOM, /* it wants memory where none is */
} ImageError;

#define IMAGE_ERROR (image_error_quark())
GQuark image_error_quark(void);

typedef struct ImageSegment {
    GuestAddr at;    /* physical; of IMAGE_FLAT and IMAGE_LINUX: from the base */
    uint64_t size;   /* in memory; what is beyond `length` is zero */
    uint64_t offset; /* in the file, unpacked */
    uint64_t length; /* in the file, at most size */
} ImageSegment;

typedef struct ImageSymbol {
    uint64_t at, size; /* guest virtual */
    char *name;
} ImageSymbol;

typedef struct Image {
    ImageKind kind;
    char *path;
    const char *arch; /* "riscv64", "aarch64" ...: what the header says; NULL: nothing */

    int fd;
    uint64_t file_length;
    uint64_t length; /* unpacked */
    bool packed;     /* with gzip; then, until image_unload(): */
    uint8_t *unpacked;

    GuestAddr entry;      /* IMAGE_ELF: physical; else from the base */
    uint64_t text_offset; /* IMAGE_LINUX: where it wants to be, from a 2 MiB boundary of RAM */
    GArray *segments;     /* ImageSegment */
    GArray *symbols;      /* ImageSymbol, by address */
} Image;

/*
 * Opens and understands a file. What is wrong with it is an IMAGE_ERROR, what is with the host a
 * G_FILE_ERROR.
 */
Image *image_open(const char *path, GError **error);
/* Bytes as they are: an initrd is unpacked by the guest. */
Image *image_open_raw(const char *path, GError **error);
void image_free(Image *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Image, image_free)

/* First byte, and first byte past the last segment. */
void image_span(const Image *image, GuestAddr *first, GuestAddr *end);

/* Copies the segments, moved by base, into RAM. Fails when a part of them is not RAM there. */
bool image_place(Image *image, AddressSpace *memory, GuestAddr base, GError **error);
/* Drops what unpacking took; placing it again unpacks it again. */
void image_unload(Image *image);

/* Bytes of the (unpacked) file; false when there are not so many. */
bool image_read(const Image *image, uint64_t offset, void *out, uint64_t length);

/* The symbol that contains an address, or NULL. Any thread. */
const ImageSymbol *image_symbol(const Image *image, uint64_t at);

#endif

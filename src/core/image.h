/*
 * Files that a machine boots: what they are, and where in guest memory their parts belong.
 *
 * Files are hostile: every size and offset in them is checked against the file and against RAM.
 */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#include "core/address-space.h"

typedef enum ImageKind {
    IMAGE_FLAT,             /* bytes, to be put where the board says */
    IMAGE_LINUX,            /* Linux Image of RISC-V or arm64: has a header with sizes */
    IMAGE_ELF,
} ImageKind;

typedef struct ImageSegment {
    GuestAddr at;           /* physical; of IMAGE_FLAT and IMAGE_LINUX: 0, to be added to the base */
    uint64_t size;          /* in memory; what is beyond the data is zero */
    const uint8_t *data;
    uint64_t length;        /* of data, at most size */
} ImageSegment;

typedef struct ImageSymbol {
    GuestAddr at;
    uint64_t size;
    const char *name;
} ImageSymbol;

typedef struct Image {
    ImageKind kind;
    char *path;
    const char *arch;       /* "riscv64", "aarch64" ...: what the header says; NULL: nothing */
    GBytes *bytes;          /* the file, unpacked when it was gzip'd */
    GuestAddr entry;        /* IMAGE_ELF; else an offset from the base */
    uint64_t text_offset;   /* IMAGE_LINUX: from a 2 MiB boundary of RAM */
    unsigned segment_count;
    ImageSegment *segments;
    unsigned symbol_count;
    ImageSymbol *symbols;   /* by address */
} Image;

/* Reads and understands a file; GError otherwise (missing, truncated, not what it claims). */
Image *image_load(const char *path, GError **error);
void image_free(Image *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Image, image_free)

/* First byte past the last segment, less the first byte. */
uint64_t image_span(const Image *image, GuestAddr *first);

/* Copies the segments, moved by base, into RAM. False when a part of them is not RAM there. */
bool image_place(const Image *image, AddressSpace *memory, GuestAddr base, GError **error);

/* The symbol that contains an address, or NULL. Any thread. */
const ImageSymbol *image_symbol(const Image *image, GuestAddr at);

#endif

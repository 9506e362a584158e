/* Making images: what is wanted of one, and the options that formats understand. */
#ifndef BLOCK_CREATE_H
#define BLOCK_CREATE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct BlockNode BlockNode;
typedef struct IoLoop IoLoop;

/* How the key of encrypted images is given; both NULL: it is not. */
typedef struct BlockKey {
    const char *file; /* whose bytes it is, all of them */
    const char *text;
    bool may_miss; /* the image is opened without, for all but its data */
} BlockKey;

typedef struct BlockCreate {
    uint64_t size;
    const char *path;                     /* the name that it will have; NULL: that of the file */
    const char *backing, *backing_format; /* NULL: none */
    BlockKey key;                         /* of an encrypted image */
    GHashTable *options;                  /* texts by name; NULL: none */
    GPtrArray *parts; /* gets the paths of further files that were made for it; NULL: not asked */
    void (*made)(const char *path); /* is told of each of them as soon as it is there; or NULL */
} BlockCreate;

/* How much of the space for a disk is taken when it is made. */
typedef enum BlockPreallocation {
    PREALLOCATE_OFF,
    PREALLOCATE_METADATA, /* tables only */
    PREALLOCATE_FALLOC,   /* the host's file system sets space aside */
    PREALLOCATE_FULL,     /* zeroes are written */
} BlockPreallocation;

/* Values of options, or what stands for them when they are not given. */
const char *block_create_option(const BlockCreate *create, const char *name, const char *otherwise);
bool block_create_number(
    const BlockCreate *create, const char *name, uint64_t otherwise, uint64_t *out, GError **error);
bool block_create_switch(
    const BlockCreate *create, const char *name, bool otherwise, bool *out, GError **error);

/* The option `preallocation`; `metadata` only for a format that has any. */
bool block_create_preallocation(
    const BlockCreate *create, bool has_metadata, BlockPreallocation *out, GError **error);

/* [co] Takes space in a file as FALLOC and FULL say, making it longer if it has to be. */
int block_preallocate(
    BlockNode *file, uint64_t at, uint64_t length, BlockPreallocation preallocation);

/* A further file was made for a new image. */
void block_create_made(const BlockCreate *create, const char *path);

/* A name that an image mentions is relative to the folder that the image is in, if it is no URL. */
char *block_path_beside(const char *image, const char *name);

/* "64k", "1.5G", "10MiB", "512": bytes. */
bool block_parse_size(const char *text, uint64_t *out, GError **error);

/* "name=value,name=value" into a table of owned texts; false when one has no `=`. */
bool block_parse_options(const char *text, GHashTable *options, GError **error);

/*
 * [co] Makes an image of a format under `path`, which must not be there yet. Options that the
 * format does not know are refused by name.
 */
bool block_create_image(
    IoLoop *loop, const char *format, const char *path, const BlockCreate *create, GError **error);

#endif

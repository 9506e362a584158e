/*
 * Parts of image.c: formats, a file each.
 */
#ifndef CORE_IMAGE_IMPL_H
#define CORE_IMAGE_IMPL_H

#include "core/image.h"

/* Fills in kind, arch, entry, segments, symbols. False with error; the magic has been seen. */
bool image_parse_elf(Image *image, GError **error);

void image_add_segment(Image *image, ImageSegment segment);

/* Sets error and returns false. */
bool image_truncated(const Image *image, GError **error, const char *what);
bool image_bad(const Image *image, GError **error, const char *what);

#endif

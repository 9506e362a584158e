/*
 * What plugs into a flash and keeps its contents: a drive.
 *
 * The flash works on its array in memory; changes go to the drive behind its back. It shows its
 * guest "busy" meanwhile, so a guest that waits for "ready" knows its bytes are where the drive's
 * cache mode says that completed writes are.
 */
#ifndef HW_STORAGE_FLASH_BUS_H
#define HW_STORAGE_FLASH_BUS_H

#include "core/device.h"

typedef struct FlashImage FlashImage;

uint64_t flash_image_size(const FlashImage *image);
bool flash_image_is_read_only(const FlashImage *image);

/* Fills array, as large as the image, which is what changes are taken from. False: said to diag. */
bool flash_image_load(FlashImage *image, uint8_t *array, Diag *diag);

void flash_image_changed(FlashImage *image, uint64_t at, uint64_t length);
bool flash_image_is_busy(const FlashImage *image);
bool flash_image_has_failed(const FlashImage *image); /* once, and so for good */

#endif

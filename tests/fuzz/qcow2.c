/*
 * Any bytes as a qcow2 image. Nothing may crash, hang or take memory without bound; what is said
 * about the image does not matter.
 *
 * folders: core block block/crypt block/qcow2
 */
#include "tests/fuzz/image.h"

extern const BlockDriver qcow2_block_driver, raw_block_driver, ram_block_driver, file_block_driver;
const BlockDriver *const block_drivers[] = { &qcow2_block_driver, &raw_block_driver,
    &ram_block_driver, &file_block_driver, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_image(&qcow2_block_driver, bytes, size);
    return 0;
}

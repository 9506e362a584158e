/*
 * Any bytes as an image of one of the formats, which the first byte chooses. Nothing may crash,
 * hang or take memory without bound.
 *
 * folders: core block block/formats block/qcow2
 */
#include "tests/fuzz/image.h"

extern const BlockDriver vdi_block_driver, vpc_block_driver, vmdk_block_driver, vhdx_block_driver,
    qed_block_driver, parallels_block_driver, qcow_block_driver, bochs_block_driver,
    cloop_block_driver, raw_block_driver, ram_block_driver, file_block_driver;
const BlockDriver *const block_drivers[] = { &vdi_block_driver, &vpc_block_driver,
    &vmdk_block_driver, &vhdx_block_driver, &qed_block_driver, &parallels_block_driver,
    &qcow_block_driver, &bochs_block_driver, &cloop_block_driver, &raw_block_driver,
    &ram_block_driver, &file_block_driver, NULL };

enum { FORMATS = 9 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0) {
        fuzz_image(block_drivers[bytes[0] % FORMATS], bytes + 1, size - 1);
    }
    return 0;
}

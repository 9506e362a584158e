/* Copying a disk into a new image, which is zero so far. */
#ifndef CLI_IMG_COPY_H
#define CLI_IMG_COPY_H

#include "cli/img/img.h"

typedef struct ImgCopy {
    BlockNode *from, *to;
    uint64_t skip, length; /* of `from`, whose byte `skip` becomes the first one */
    bool pack;             /* compressed; `skip` is 0 then */
    bool progress;
} ImgCopy;

/* [co] 0 or -errno; what was copied is on stable storage. */
int img_copy(const ImgCopy *copy);

#endif

/* Copying a disk into another image. */
#ifndef CLI_IMG_COPY_H
#define CLI_IMG_COPY_H

#include "cli/img/img.h"

typedef struct ImgCopy {
    BlockNode *from, *to;
    BlockNode *below;      /* what `to` is based on: what it has is not written; NULL: nothing */
    uint64_t skip, length; /* of `from`, whose byte `skip` becomes the one at `to_at` */
    uint64_t to_at;
    ImgPace *pace;    /* NULL: as fast as it can */
    unsigned grain;   /* zeroes in a row that are not written; 0: as it suits */
    unsigned workers; /* pieces that are under way at once; 0: as it suits */
    bool pack;        /* compressed; `skip` is 0 then */
    bool overwrite;   /* `to` may hold something: zeroes have to be made */
    bool all;         /* zeroes are written, too */
    bool salvage;     /* what cannot be read becomes zeroes */
    bool progress;
    uint64_t
        total; /* of all that are copied one after the other, for the progress; 0: of this one */
    uint64_t lost; /* set: bytes that could not be read */
} ImgCopy;

/* [co] 0 or -errno; what was copied is on stable storage. */
int img_copy(ImgCopy *copy);

#endif

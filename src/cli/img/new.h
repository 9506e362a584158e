/*
 * A new image: made under another name beside its own, and given its name when it is complete. So
 * a command that is interrupted leaves no half image, and an old one stays until then.
 */
#ifndef CLI_IMG_NEW_H
#define CLI_IMG_NEW_H

#include "cli/img/img.h"

typedef struct ImgNew {
    const char *path, *format;
    BlockCreate create; /* options are the command's -o */
    char *target;       /* the path, or where it leads to as a symbolic link */
    char *partial;      /* the name until then */
    bool finished;
} ImgNew;

void img_new_clear(ImgNew *new);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImgNew, img_new_clear)

/* [co] Makes it, empty; false after saying why. */
bool img_new_begin(Img *img, ImgNew *new);
/* A disk of the host, which is written to as it is, and not replaced. */
bool img_new_is_device(const char *path);
/* It is on stable storage and has its name; nothing has it open any more. */
bool img_new_finish(Img *img, ImgNew *new);

#endif

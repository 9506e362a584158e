/*
 * The lock of a machine: what it came to when somebody looked, in a file beside it.
 *
 * It pins images by their digests, keeps drives in their slots, and holds digests of all that the
 * guest can see. `lathe.lock` is that of the machine it names under `for`; a second machine in the
 * folder has NAME.lock beside its NAME.yaml.
 */
#ifndef CONFIG_LOCK_H
#define CONFIG_LOCK_H

#include "config/config.h"

/* The file that is the lock of a machine, or would be. Free it. */
char *lock_path(const char *machine);

/* An image of a machine, and what its lock has about it; strings live as long as the list. */
typedef struct LockImage {
    const char *name, *url, *file; /* url or file; file is found from where it was written */
    const char *digest;            /* what the machine says it must be; or NULL */
    const char *asked, *locked;    /* the lock's URL and digest; or NULL */
    const char *got;
    uint64_t locked_size;
    Mark mark;
} LockImage;

typedef struct LockImages LockImages;

/* NULL after reporting. */
LockImages *lock_images(const char *machine, const ConfigOptions *options, Diag *diag);
void lock_images_free(LockImages *images);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LockImages, lock_images_free)

unsigned lock_images_count(const LockImages *images);
LockImage *lock_images_get(LockImages *images, unsigned index);

/* What only a built machine tells. */
typedef struct LockDigests {
    const char *fdt, *hardware;
    const char *const *combinations; /* of the matrix, each followed by its hardware; NULL ends */
} LockDigests;

/* The whole text, with the images as they are in the list by now. NULL after reporting. Free it. */
char *lock_text(const char *machine, const ConfigOptions *options, const MachineSpec *spec,
    LockImages *images, const LockDigests *digests, Diag *diag);

/*
 * The old text with what the new one says: comments, blank lines and line ends are kept, but for those
 * above a key that is gone. Free it.
 */
char *lock_patch(const char *old, const char *new);

#endif

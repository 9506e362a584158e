/*
 * A disk image in memory beside a model of what it must hold: an array with a stamp for each
 * sector. The file's changes are recorded, so that the power can fail at any moment.
 */
#ifndef TESTS_BLOCK_MODEL_DISK_H
#define TESTS_BLOCK_MODEL_DISK_H

#include "block/power.h"

enum {
    MODEL_SECTOR = 512,
    MODEL_SECTORS = 3072, /* that a disk begins with, */
    MODEL_MOST = 4608,    /* and has at most */
};

typedef struct ModelFlavour {
    const char *format, *options;
    bool backing;     /* lies on another disk */
    bool data_file;   /* has its data elsewhere, where no power fails */
    bool leaks_after; /* has no check, or one that knows no leaks */
} ModelFlavour;

/* A change of some sectors, with the moments at which it began and ended. */
typedef struct ModelStep {
    unsigned first, count;
    uint32_t stamp;   /* that they have then; 0: zeroes */
    uint32_t *stamps; /* owned, instead: one for each sector of the disk */
    bool discard;     /* or what they had */
    bool durable, packed;
    uint64_t began, ended; /* 0: under way */
} ModelStep;

typedef struct ModelSnapshot {
    char name[16];
    unsigned sectors;
    uint32_t stamps[MODEL_MOST];
} ModelSnapshot;

typedef struct Model {
    const ModelFlavour *flavour;
    IoLoop *loop;
    GRand *rand;
    char *path; /* in a folder for the data file */

    BlockNode *power, *disk;    /* open in a phase */
    GByteArray *bytes;          /* of the file */
    GByteArray *before;         /* the file as it was when the phase began */
    uint32_t floor[MODEL_MOST]; /* the disk then */

    unsigned sectors;
    uint32_t now[MODEL_MOST];
    bool busy[MODEL_MOST]; /* a request to the sector is under way */
    uint32_t last_stamp;
    bool leaky; /* after a crash; not repaired yet */

    GPtrArray *steps;     /* of ModelStep, of the phase */
    GArray *flushes;      /* of uint64_t pairs: moments */
    GPtrArray *snapshots; /* of ModelSnapshot */
} Model;

/* [co] A new image. The name of the flavour and `seed` say what will happen to it. */
void model_begin(Model *m, IoLoop *loop, const ModelFlavour *flavour, unsigned seed);
void model_end(Model *m);

/* [co] All that follows is recorded. */
void model_open(Model *m);
/* [co] Everything is flushed, and the image closed; what it says of itself must be right. */
void model_close(Model *m);

/* A step begins: takes the sectors into the model when it ends. */
ModelStep *model_step(Model *m, unsigned first, unsigned count, uint32_t stamp);
void model_step_done(Model *m, ModelStep *step);

/* [co] Does the disk hold what the model says? */
void model_verify(Model *m);

/*
 * [co] The power fails, at some moment of the phase that was closed: the image must be whole and
 * hold what it may. With `stay`, it is what goes on from there.
 */
void model_crash(Model *m, bool stay);

#endif

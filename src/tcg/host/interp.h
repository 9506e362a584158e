/*
 * The interpreter on trial: runs one block and can take back what it did, to check another host
 * against it.
 */
#ifndef TCG_HOST_INTERP_H
#define TCG_HOST_INTERP_H

#include "tcg/host.h"

enum { STORE_LOG_SIZE = 512 };

typedef struct StoreUndo {
    void *at; /* host address */
    uint64_t old[2];
    uint8_t size;
} StoreUndo;

/* The guest memory that a block wrote, in order, with what was there before. */
typedef struct StoreLog {
    unsigned count;
    StoreUndo undo[STORE_LOG_SIZE];
} StoreLog;

extern const Host interp_host;

/*
 * Runs one block of the interpreter's code, which neither follows links nor spends budget. True:
 * it ran to *reason. False: it met an access for the slow path, a call that is not HELPER_LEAF, or
 * a full log, and stopped in front of it. Either way the caller restores CpuEnv and the ISA's
 * registers, and memory by store_log_undo.
 */
bool interp_try(CpuEnv *env, const void *code, StoreLog *log, ExitReason *reason);

/* Puts the old contents back, the latest first, and empties the log. */
void store_log_undo(StoreLog *log);

#endif

/* The graph of nodes behind a drive, for drive.c. */
#ifndef BLOCK_DRIVE_GRAPH_H
#define BLOCK_DRIVE_GRAPH_H

#include "block/block.h"

typedef struct Diag Diag;

/* [co] Opens all that the description names. */
BlockNode *drive_graph_open(const DriveSpec *spec, IoLoop *loop, GError **error);

/* The lowest node: the one that has the bytes. */
const BlockNode *drive_graph_file(const BlockNode *top);

/* Says which key of the drive is to blame for an error, and what to do. */
void drive_graph_report(const DriveSpec *spec, Diag *diag, const GError *error);

#endif

/* What the drives of a machine that runs are and did, as JSON. */
#ifndef CLI_DRIVE_FACTS_H
#define CLI_DRIVE_FACTS_H

#include <glib.h>

#include "block/drive.h"

/* One object. */
void drive_facts(GString *out, const Drive *drive);

/* {"drives": [...]}, of an array of Drive. */
void drives_facts(GString *out, const GPtrArray *drives);

#endif

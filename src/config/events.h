/*
 * Text → Doc: libyaml's events, held to what lathe accepts.
 *
 * Left out of YAML: tags, merge keys (`<<`), more than one document, keys that are no texts, and
 * plain scalars that YAML 1.1 and 1.2 read differently. Depth, size and aliases are bounded.
 */
#ifndef CONFIG_EVENTS_H
#define CONFIG_EVENTS_H

#include "config/doc.h"
#include "config/source.h"

enum { DEEPEST_NESTING = 64, MOST_ALIASED_NODES = 100000 };

/*
 * NULL when there is no tree to go on with; anything less is reported, and the node marked as bad.
 * An empty text is an empty map.
 */
Node *events_parse(const Source *source, Arena *arena, Diag *diag);

#endif

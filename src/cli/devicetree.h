/*
 * What a device tree describes, node by node, and how two of them differ.
 */
#ifndef CLI_DEVICETREE_H
#define CLI_DEVICETREE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A node with `compatible`, at an address that the CPUs see. */
typedef struct TreeNode {
    char *path;
    char **compatible; /* ends with NULL */
    bool placed;       /* it has an address */
    uint64_t at, size;
    char *interrupts; /* as text: "<0x1 0x4>"; NULL: none */
    bool disabled;
} TreeNode;

/* Of TreeNode, in the order of the tree; NULL: it is no blob. Free with g_array_unref. */
GArray *devicetree_nodes(GBytes *blob);

/* A blob from a file: .dtb as it is, .dts compiled by dtc. */
GBytes *devicetree_read(const char *file, GError **error);

#endif

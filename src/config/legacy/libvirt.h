/*
 * Domains of libvirt: by way of the QEMU command line that each is, so that they are judged and
 * told like any other.
 *
 * Written from libvirt's "Domain XML format". XML is read by libxml2, without network, and a
 * document with a DTD (and so with entities) is refused.
 *
 * What only libvirt has a word for, a translated file keeps under `x-libvirt`: where each disk
 * was, and the elements that became nothing else. What lathe has a word for is told by that
 * alone, so that a changed file is a changed domain.
 */
#ifndef CONFIG_LEGACY_LIBVIRT_H
#define CONFIG_LEGACY_LIBVIRT_H

#include "config/legacy/qemu.h"

typedef struct LibvirtSink {
    QemuRemark remark; /* of each element that has no argument */
    void *data;
    Node *kept; /* a map: filled with what belongs under `x-libvirt` */
    Arena *arena;
} LibvirtSink;

/* Arguments, the program first. NULL: not a domain. */
GPtrArray *libvirt_arguments(const char *xml, size_t size, const LibvirtSink *sink, GError **error);

/* The machine file as the XML of a domain. Free it. */
char *libvirt_domain(const Node *machine, QemuRemark remark, void *data);

#endif

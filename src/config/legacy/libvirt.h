/*
 * Domains of libvirt: by way of the QEMU command line that each is, so that they are judged and
 * told like any other.
 *
 * Written from libvirt's "Domain XML format". XML is read by libxml2, without network, and a
 * document with a DTD (and so with entities) is refused.
 */
#ifndef CONFIG_LEGACY_LIBVIRT_H
#define CONFIG_LEGACY_LIBVIRT_H

#include "config/legacy/qemu.h"

/* Arguments, the program first; of each element that has none, a remark. NULL: not a domain. */
GPtrArray *libvirt_arguments(
    const char *xml, size_t size, QemuRemark remark, void *data, GError **error);

#endif

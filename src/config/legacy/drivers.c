/* Read from the manual of QEMU 7.2 (qemu-system(1), -blockdev) and tried out. */
#include "config/legacy/drivers.h"

#include <glib.h>
#include <string.h>

#define FILE_KEYS                                                                                  \
    "filename:s locking:s aio:s aio-max-batch:n pr-manager:s drop-cache:b x-check-cache-dropped:b"
#define CURL_KEYS                                                                                  \
    "url:s readahead:z sslverify:s timeout:n cookie:s cookie-secret:s username:s "                 \
    "password-secret:s proxy-username:s proxy-password-secret:s"
#define NULL_KEYS "size:z read-zeroes:b latency-ns:n"

/* clang-format off */
static const ImageDriver drivers[] = {
    { "raw", 0, NULL, NULL, "offset:z size:z" },
    { "qcow2", DRIVER_MAGIC | DRIVER_BACKING, NULL, NULL,
      "lazy-refcounts:b pass-discard-request:b pass-discard-snapshot:b pass-discard-other:b "
      "overlap-check:s overlap-check.template:s overlap-check.main-header:b "
      "overlap-check.active-l1:b overlap-check.active-l2:b overlap-check.refcount-table:b "
      "overlap-check.refcount-block:b overlap-check.snapshot-table:b "
      "overlap-check.inactive-l1:b overlap-check.inactive-l2:b "
      "overlap-check.bitmap-directory:b cache-size:z l2-cache-size:z l2-cache-entry-size:z "
      "refcount-cache-size:z cache-clean-interval:n encrypt.*:s data-file:s data-file.*:s" },
    { "qcow",      DRIVER_MAGIC | DRIVER_BACKING, NULL, NULL, "encrypt.*:s" },
    { "qed",       DRIVER_MAGIC | DRIVER_BACKING, NULL, NULL, "" },
    { "vdi",       DRIVER_MAGIC, NULL, NULL, "" },
    { "vmdk",      DRIVER_MAGIC | DRIVER_BACKING, NULL, NULL, "extents.*:s" },
    { "vpc",       DRIVER_MAGIC, NULL, NULL, "force_size_calc:s" },
    { "vhdx",      DRIVER_MAGIC, NULL, NULL, "" },
    { "parallels", DRIVER_MAGIC, NULL, NULL, "prealloc-size:z prealloc-mode:s" },
    { "dmg",       DRIVER_MAGIC | DRIVER_READ_ONLY, NULL, NULL, "" },
    { "bochs",     DRIVER_MAGIC | DRIVER_READ_ONLY, NULL, NULL, "" },
    { "cloop",     DRIVER_MAGIC | DRIVER_READ_ONLY, NULL, NULL, "" },
    { "luks",      DRIVER_MAGIC, NULL, NULL, "key-secret:s", "key-secret" },
    { "copy-on-read", 0, NULL, NULL, "bottom:s" },
    { "throttle",  0, NULL, NULL, "throttle-group:s", "throttle-group" },
    { "compress",  0, NULL, NULL, "" },
    { "preallocate", 0, NULL, NULL, "prealloc-align:z prealloc-size:z" },
    { "replication", 0, NULL, NULL, "mode:s top-id:s", "mode" },
    { "snapshot-access", 0, NULL, NULL, "" },
    { "copy-before-write", 0, NULL, NULL,
      "target:s target.*:s bitmap.*:s on-cbw-error:s cbw-timeout:n", "target" },
    { "blklogwrites", 0, NULL, NULL, "log:s log.*:s log-sector-size:z log-append:b "
                                     "log-super-update-interval:n", "log" },
    { "blkreplay", 0, "image", NULL, "" },
    { "blkdebug",  0, "image", NULL,
      "x-image:s config:s align:z max-transfer:z opt-write-zero:z max-write-zero:z opt-discard:z "
      "max-discard:z inject-error.*:s set-state.*:s take-child-perms.*:s "
      "unshare-child-perms.*:s" },
    { "blkverify", 0, "test", NULL, "raw:s raw.*:s x-image:s x-raw:s" },
    { "quorum",    0, "children.0", NULL,
      "vote-threshold:n blkverify:b rewrite-corrupted:b read-pattern:s children.*:s",
      "vote-threshold" },

    { "file",        DRIVER_PROTOCOL | DRIVER_FILE, NULL, NULL, FILE_KEYS },
    { "host_device", DRIVER_PROTOCOL | DRIVER_FILE, NULL, NULL, FILE_KEYS },
    { "host_cdrom",  DRIVER_PROTOCOL | DRIVER_FILE | DRIVER_READ_ONLY, NULL, NULL, FILE_KEYS },
    { "null-co",  DRIVER_PROTOCOL, NULL, "null-co://", NULL_KEYS },
    { "null-aio", DRIVER_PROTOCOL, NULL, "null-aio://", NULL_KEYS },
    { "vvfat",    DRIVER_PROTOCOL, NULL, "fat:", "dir:s fat-type:n floppy:b rw:b label:s" },
    { "nvme",     DRIVER_PROTOCOL, NULL, "nvme:", "device:s namespace:n" },
    { "nbd",      DRIVER_PROTOCOL, NULL, "nbd:",
      "host:s port:s path:s export:s server.*:s tls-creds:s tls-hostname:s "
      "x-dirty-bitmap:s reconnect-delay:n open-timeout:n" },
    { "http",  DRIVER_PROTOCOL | DRIVER_READ_ONLY, NULL, "http:", CURL_KEYS },
    { "https", DRIVER_PROTOCOL | DRIVER_READ_ONLY, NULL, "https:", CURL_KEYS },
    { "ftp",   DRIVER_PROTOCOL | DRIVER_READ_ONLY, NULL, "ftp:", CURL_KEYS },
    { "ftps",  DRIVER_PROTOCOL | DRIVER_READ_ONLY, NULL, "ftps:", CURL_KEYS },
    { "ssh",   DRIVER_PROTOCOL | DRIVER_UNSAID, NULL, "ssh:",
      "host:s port:s path:s user:s server.*:s host_key_check:s host-key-check.*:s" },
    { "iscsi", DRIVER_PROTOCOL | DRIVER_UNSAID, NULL, "iscsi:",
      "transport:s portal:s target:s lun:n user:s password-secret:s initiator-name:s "
      "header-digest:s timeout:n" },
    { "rbd",   DRIVER_PROTOCOL | DRIVER_UNSAID, NULL, "rbd:",
      "pool:s namespace:s image:s conf:s snapshot:s user:s server.*:s keypairs.*:s" },
    { "nfs",   DRIVER_PROTOCOL | DRIVER_UNSAID, NULL, "nfs:",
      "server.*:s path:s user:n group:n tcp-syn-count:n readahead-size:z page-cache-size:z "
      "debug:n" },
    { "gluster", DRIVER_PROTOCOL | DRIVER_UNSAID, NULL, "gluster:",
      "volume:s path:s server.*:s debug:n logfile:s" },
};

static const struct {
    const char *protocol, *driver;
} protocols[] = {
    { "file", "file" },             { "fat", "vvfat" },
    { "nbd", "nbd" },               { "nbd+tcp", "nbd" },
    { "nbd+unix", "nbd" },          { "http", "http" },
    { "https", "https" },           { "ftp", "ftp" },
    { "ftps", "ftps" },             { "iscsi", "iscsi" },
    { "iser", "iscsi" },            { "rbd", "rbd" },
    { "gluster", "gluster" },       { "gluster+tcp", "gluster" },
    { "gluster+unix", "gluster" },  { "gluster+rdma", "gluster" },
    { "ssh", "ssh" },               { "nfs", "nfs" },
    { "nvme", "nvme" },             { "null-co", "null-co" },
    { "null-aio", "null-aio" },     { "blkdebug", "blkdebug" },
    { "blkverify", "blkverify" },   { "host_device", "host_device" },
    { "host_cdrom", "host_cdrom" },
};
/* clang-format on */

const ImageDriver *driver_find(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(drivers); i++) {
        if (strcmp(drivers[i].name, name) == 0) {
            return &drivers[i];
        }
    }
    return NULL;
}

const ImageDriver *driver_by_protocol(const char *protocol)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(protocols); i++) {
        if (strcmp(protocols[i].protocol, protocol) == 0) {
            return driver_find(protocols[i].driver);
        }
    }
    return NULL;
}

/* Whether the pattern `encrypt.*` (or a plain key) of `length` bytes stands for `key`. */
static bool stands_for(const char *pattern, size_t length, const char *key)
{
    if (length > 0 && pattern[length - 1] == '*') {
        return strncmp(pattern, key, length - 1) == 0;
    }
    return strlen(key) == length && strncmp(pattern, key, length) == 0;
}

char driver_key_type(const ImageDriver *driver, const char *key, bool strict)
{
    const char *at = driver->keys;

    while (*at) {
        size_t length = strcspn(at, ":");

        if (stands_for(at, length, key)) {
            return at[length + 1];
        }
        at += length + 2;
        at += strspn(at, " ");
    }
    return driver->flags & DRIVER_UNSAID && !strict ? 's' : '\0';
}

bool driver_has_magic(const char *name)
{
    const ImageDriver *driver = driver_find(name);

    return driver && driver->flags & DRIVER_MAGIC;
}

bool driver_has_backing(const char *name)
{
    const ImageDriver *driver = driver_find(name);

    return driver && driver->flags & DRIVER_BACKING;
}

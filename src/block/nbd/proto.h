/* Numbers and layouts of the NBD protocol (its doc/proto.md); all big endian. */
#ifndef BLOCK_NBD_PROTO_H
#define BLOCK_NBD_PROTO_H

#include <stdint.h>

#define NBD_MAGIC UINT64_C(0x4e42444d41474943)        /* "NBDMAGIC" */
#define NBD_OPTION_MAGIC UINT64_C(0x49484156454f5054) /* "IHAVEOPT" */
#define NBD_REPLY_MAGIC UINT64_C(0x3e889045565a9)
#define NBD_REQUEST_MAGIC 0x25609513u
#define NBD_SIMPLE_MAGIC 0x67446698u
#define NBD_CHUNK_MAGIC 0x668e33efu

enum { NBD_FIXED_NEWSTYLE = 1, NBD_NO_ZEROES = 2 }; /* handshake flags, both sides */

/* Options and their replies. */
enum {
    NBD_EXPORT_NAME = 1,
    NBD_ABORT = 2,
    NBD_LIST = 3,
    NBD_STARTTLS = 5,
    NBD_INFO = 6,
    NBD_GO = 7,
    NBD_STRUCTURED = 8,
    NBD_LIST_META = 9,
    NBD_SET_META = 10,
};
enum {
    NBD_REP_ACK = 1,
    NBD_REP_SERVER = 2,
    NBD_REP_INFO = 3,
    NBD_REP_META = 4,
};
#define NBD_REP_ERROR(n) (0x80000000u | (n))
enum { NBD_UNSUPPORTED = 1, NBD_POLICY, NBD_INVALID, NBD_TLS_NEEDED = 5, NBD_UNKNOWN };
enum { NBD_INFO_EXPORT, NBD_INFO_NAME, NBD_INFO_DESCRIPTION, NBD_INFO_BLOCK_SIZE };

/* What an export can do. */
enum {
    NBD_HAS_FLAGS = 1 << 0,
    NBD_READ_ONLY = 1 << 1,
    NBD_SEND_FLUSH = 1 << 2,
    NBD_SEND_FUA = 1 << 3,
    NBD_SEND_TRIM = 1 << 5,
    NBD_SEND_ZEROES = 1 << 6,
    NBD_SEND_DF = 1 << 7,
    NBD_MULTI_CONN = 1 << 8,
    NBD_SEND_RESIZE = 1 << 9, /* the extension of that name */
};

enum {
    NBD_READ,
    NBD_WRITE,
    NBD_DISCONNECT,
    NBD_FLUSH,
    NBD_TRIM,
    NBD_ZEROES = 6,
    NBD_STATUS,
    NBD_RESIZE,
};
enum { NBD_FUA = 1, NBD_NO_HOLE = 2, NBD_DF = 4, NBD_ONE_EXTENT = 8 }; /* of a request */

enum { NBD_CHUNK_DONE = 1 };
enum {
    NBD_CHUNK_NONE = 0,
    NBD_CHUNK_DATA = 1,
    NBD_CHUNK_HOLE = 2,
    NBD_CHUNK_STATUS = 5,
    NBD_CHUNK_ERROR = 0x8001,
};
enum { NBD_EXTENT_HOLE = 1, NBD_EXTENT_ZERO = 2 }; /* of base:allocation */

/* Errors on the wire are Linux' numbers of these, and EINVAL for all others. */
enum { NBD_EPERM = 1, NBD_EIO = 5, NBD_ENOMEM = 12, NBD_EINVAL = 22, NBD_ENOSPC = 28 };

enum {
    NBD_OPTION_MOST = 16384, /* bytes of an option; more ends the connection */
    NBD_NAME_MOST = 4096,
    NBD_PAYLOAD_MOST = 32 << 20,
};

typedef struct __attribute__((packed)) NbdOption {
    uint64_t magic;
    uint32_t option, length;
} NbdOption;

typedef struct __attribute__((packed)) NbdReply {
    uint64_t magic;
    uint32_t option, type, length;
} NbdReply;

typedef struct __attribute__((packed)) NbdRequest {
    uint32_t magic;
    uint16_t flags, type;
    uint64_t cookie, at;
    uint32_t length;
} NbdRequest;

typedef struct __attribute__((packed)) NbdSimple {
    uint32_t magic, error;
    uint64_t cookie;
} NbdSimple;

typedef struct __attribute__((packed)) NbdChunk {
    uint32_t magic;
    uint16_t flags, type;
    uint64_t cookie;
    uint32_t length;
} NbdChunk;

#endif

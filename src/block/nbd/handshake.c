/* The haggling before a client has an export (proto.md, "Fixed newstyle negotiation"). */
#include <errno.h>
#include <string.h>

#include "block/nbd/server-impl.h"

enum { OPTIONS_MOST = 1000, STATUS_ID = 1 };

typedef enum Answer {
    ANSWER_NEXT, /* another option may follow */
    ANSWER_CHOSEN,
    ANSWER_END,
} Answer;

/* An option that has been read whole. */
typedef struct Offer {
    uint32_t option, length;
    const uint8_t *data;
} Offer;

static bool send_bytes(NbdClient *client, const void *data, size_t length)
{
    struct iovec piece = { (void *)data, length };

    return stream_write(client->stream, &piece, 1) == 0;
}

static bool reply(
    NbdClient *client, const Offer *offer, uint32_t type, const void *data, size_t length)
{
    NbdReply head = { GUINT64_TO_BE(NBD_REPLY_MAGIC), GUINT32_TO_BE(offer->option),
        GUINT32_TO_BE(type), GUINT32_TO_BE(length) };
    struct iovec pieces[] = { { &head, sizeof(head) }, { (void *)data, length } };

    return stream_write(client->stream, pieces, 2) == 0;
}

static Answer refuse(NbdClient *client, const Offer *offer, unsigned why)
{
    return reply(client, offer, NBD_REP_ERROR(why), NULL, 0) ? ANSWER_NEXT : ANSWER_END;
}

static Answer acknowledge(NbdClient *client, const Offer *offer)
{
    return reply(client, offer, NBD_REP_ACK, NULL, 0) ? ANSWER_NEXT : ANSWER_END;
}

static const NbdExport *find_export(const NbdServer *server, const uint8_t *name, size_t length)
{
    for (unsigned i = 0; i < server->export_count; i++) {
        const NbdExport *export = &server->exports[i];

        if (strlen(export->name) == length && memcmp(export->name, name, length) == 0) {
            return export;
        }
    }
    return length == 0 && server->export_count == 1 ? &server->exports[0] : NULL;
}

/* A number at the start of what is left of an option; false: it is too short. */
static bool take(Offer *offer, void *out, size_t size)
{
    if (offer->length < size) {
        return false;
    }
    memcpy(out, offer->data, size);
    offer->data += size;
    offer->length -= size;
    return true;
}

/* A length and that many bytes. */
static bool take_text(Offer *offer, const uint8_t **text, uint32_t *length)
{
    if (!take(offer, length, sizeof(*length))) {
        return false;
    }
    *length = GUINT32_FROM_BE(*length);
    if (*length > offer->length || *length > NBD_NAME_MOST) {
        return false;
    }
    *text = offer->data;
    offer->data += *length;
    offer->length -= *length;
    return true;
}

/* ---- one function for each option ---- */

/* The old way to choose: no reply but the export itself, and no refusal but the end. */
static Answer do_export_name(NbdClient *client, Offer *offer)
{
    struct __attribute__((packed)) {
        uint64_t length;
        uint16_t flags;
        uint8_t zeroes[124];
    } said = { 0 };

    client->export = find_export(client->server, offer->data, offer->length);
    if (!client->export) {
        return ANSWER_END;
    }
    said.length = GUINT64_TO_BE(client->export->node->length);
    said.flags = GUINT16_TO_BE(nbd_export_flags(client->export));
    return send_bytes(client, &said, client->no_zeroes ? 10 : sizeof(said)) ? ANSWER_CHOSEN
                                                                            : ANSWER_END;
}

static Answer do_abort(NbdClient *client, Offer *offer)
{
    acknowledge(client, offer);
    return ANSWER_END;
}

static Answer do_list(NbdClient *client, Offer *offer)
{
    if (offer->length > 0) {
        return refuse(client, offer, NBD_INVALID);
    }
    for (unsigned i = 0; i < client->server->export_count; i++) {
        const NbdExport *export = &client->server->exports[i];
        uint32_t length = GUINT32_TO_BE(strlen(export->name));
        g_autofree char *text = g_strconcat("....", export->name, export->description, NULL);

        memcpy(text, &length, sizeof(length));
        if (!reply(client, offer, NBD_REP_SERVER, text,
                sizeof(length) + strlen(export->name) + strlen(export->description))) {
            return ANSWER_END;
        }
    }
    return acknowledge(client, offer);
}

/* All that was agreed in the clear is forgotten (proto.md, NBD_OPT_STARTTLS). */
static Answer do_starttls(NbdClient *client, Offer *offer)
{
    if (offer->length > 0 || stream_is_encrypted(client->stream)) {
        return refuse(client, offer, NBD_INVALID);
    }
    if (!client->server->keys) {
        return refuse(client, offer, NBD_POLICY);
    }
    if (acknowledge(client, offer) == ANSWER_END) {
        return ANSWER_END;
    }
    client->structured = client->status = false;
    return stream_start_tls(client->stream, client->server->keys) == 0 ? ANSWER_NEXT : ANSWER_END;
}

static bool send_infos(NbdClient *client, const Offer *offer, const NbdExport *export)
{
    struct __attribute__((packed)) {
        uint16_t type;
        uint64_t length;
        uint16_t flags;
    } about = { GUINT16_TO_BE(NBD_INFO_EXPORT), GUINT64_TO_BE(export->node->length),
        GUINT16_TO_BE(nbd_export_flags(export)) };
    struct __attribute__((packed)) {
        uint16_t type;
        uint32_t least, preferred, most;
    } sizes = { GUINT16_TO_BE(NBD_INFO_BLOCK_SIZE), GUINT32_TO_BE(1), GUINT32_TO_BE(4096),
        GUINT32_TO_BE(NBD_PAYLOAD_MOST) };

    return reply(client, offer, NBD_REP_INFO, &about, sizeof(about)) &&
        reply(client, offer, NBD_REP_INFO, &sizes, sizeof(sizes));
}

static Answer do_info(NbdClient *client, Offer *offer)
{
    Offer rest = *offer;
    const NbdExport *export;
    const uint8_t *name;
    uint32_t length;
    uint16_t wishes;

    if (!take_text(&rest, &name, &length) || !take(&rest, &wishes, sizeof(wishes)) ||
        rest.length != GUINT16_FROM_BE(wishes) * sizeof(wishes)) {
        return refuse(client, offer, NBD_INVALID);
    }
    export = find_export(client->server, name, length);
    if (!export) {
        return refuse(client, offer, NBD_UNKNOWN);
    }
    if (!send_infos(client, offer, export) || acknowledge(client, offer) == ANSWER_END) {
        return ANSWER_END;
    }
    if (offer->option == NBD_INFO) {
        return ANSWER_NEXT;
    }
    client->status = client->status && client->export == export;
    client->export = export;
    return ANSWER_CHOSEN;
}

static Answer do_structured(NbdClient *client, Offer *offer)
{
    if (offer->length > 0) {
        return refuse(client, offer, NBD_INVALID);
    }
    client->structured = true;
    return acknowledge(client, offer);
}

static bool names_allocation(const uint8_t *query, uint32_t length, bool listing)
{
    static const char name[] = "base:allocation";

    return (length == strlen(name) && memcmp(query, name, length) == 0) ||
        (listing && length == strlen("base:") && memcmp(query, "base:", length) == 0);
}

/* Which kinds of status there are, or which the client wants: we know one. */
static Answer do_meta(NbdClient *client, Offer *offer)
{
    struct __attribute__((packed)) {
        uint32_t id;
        char name[15];
    } said = { GUINT32_TO_BE(STATUS_ID), "base:allocatio" };
    bool listing = offer->option == NBD_LIST_META, wanted;
    Offer rest = *offer;
    const NbdExport *export;
    const uint8_t *text;
    uint32_t length, queries;

    memcpy(said.name, "base:allocation", sizeof(said.name));
    if (!client->structured || !take_text(&rest, &text, &length) ||
        !take(&rest, &queries, sizeof(queries))) {
        return refuse(client, offer, NBD_INVALID);
    }
    export = find_export(client->server, text, length);
    if (!export) {
        return refuse(client, offer, NBD_UNKNOWN);
    }
    wanted = listing && queries == 0;
    for (uint32_t left = GUINT32_FROM_BE(queries); left > 0; left--) {
        if (!take_text(&rest, &text, &length)) {
            return refuse(client, offer, NBD_INVALID);
        }
        wanted |= names_allocation(text, length, listing);
    }
    if (!listing) {
        client->status = wanted;
        client->export = export;
    }
    if (wanted && !reply(client, offer, NBD_REP_META, &said, sizeof(said))) {
        return ANSWER_END;
    }
    return acknowledge(client, offer);
}

static const struct {
    uint32_t option;
    bool in_clear; /* also while TLS is demanded and not there yet */
    Answer (*run)(NbdClient *client, Offer *offer);
} options[] = {
    { NBD_EXPORT_NAME, false, do_export_name },
    { NBD_ABORT, true, do_abort },
    { NBD_LIST, false, do_list },
    { NBD_STARTTLS, true, do_starttls },
    { NBD_INFO, false, do_info },
    { NBD_GO, false, do_info },
    { NBD_STRUCTURED, false, do_structured },
    { NBD_LIST_META, false, do_meta },
    { NBD_SET_META, false, do_meta },
};

static Answer answer(NbdClient *client, Offer *offer)
{
    bool clear = client->server->keys && !stream_is_encrypted(client->stream);

    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i].option != offer->option) {
            continue;
        }
        if (clear && !options[i].in_clear) {
            return offer->option == NBD_EXPORT_NAME ? ANSWER_END
                                                    : refuse(client, offer, NBD_TLS_NEEDED);
        }
        return options[i].run(client, offer);
    }
    return refuse(client, offer, NBD_UNSUPPORTED);
}

static Answer take_option(NbdClient *client)
{
    g_autofree uint8_t *data = NULL;
    NbdOption head;
    Offer offer;

    if (stream_read(client->stream, &head, sizeof(head)) < 0 ||
        GUINT64_FROM_BE(head.magic) != NBD_OPTION_MAGIC) {
        return ANSWER_END;
    }
    offer.option = GUINT32_FROM_BE(head.option);
    offer.length = GUINT32_FROM_BE(head.length);
    if (offer.length > NBD_OPTION_MOST) {
        return ANSWER_END;
    }
    data = g_malloc(offer.length + 1);
    offer.data = data;
    return stream_read(client->stream, data, offer.length) < 0 ? ANSWER_END
                                                               : answer(client, &offer);
}

bool nbd_handshake(NbdClient *client)
{
    struct __attribute__((packed)) {
        uint64_t magic, option_magic;
        uint16_t flags;
    } hello = { GUINT64_TO_BE(NBD_MAGIC), GUINT64_TO_BE(NBD_OPTION_MAGIC),
        GUINT16_TO_BE(NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES) };
    Answer said = ANSWER_NEXT;
    uint32_t flags;

    if (!send_bytes(client, &hello, sizeof(hello)) ||
        stream_read(client->stream, &flags, sizeof(flags)) < 0) {
        return false;
    }
    flags = GUINT32_FROM_BE(flags);
    if (flags & ~(uint32_t)(NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES)) {
        return false; /* it knows more than we do (proto.md, "Newstyle negotiation") */
    }
    client->no_zeroes = flags & NBD_NO_ZEROES;
    for (unsigned i = 0; i < OPTIONS_MOST && said == ANSWER_NEXT; i++) {
        said = take_option(client);
    }
    return said == ANSWER_CHOSEN;
}

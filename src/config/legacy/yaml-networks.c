/* `net`: cards with what is behind them. */
#include "config/legacy/yaml-impl.h"

#include <string.h>

#include "config/legacy/networks.h"

static void write_forwards(YamlWriter *w, const LegacyNet *net, const char *path)
{
    bool any = false;

    for (unsigned i = 0; net->backend && i < net->backend->count; i++) {
        const Opt *opt = &net->backend->items[i];
        unsigned host, guest;
        bool udp;

        if (strcmp(opt->key, "hostfwd") != 0) {
            continue;
        }
        if (!networks_forward(opt->value, &host, &guest, &udp) || udp) {
            legacy_note(w->l, LOST, opt->value_at, path, "only ports of TCP are forwarded");
            continue;
        }
        if (!any) {
            yaml_line(w, 2, "forward", NULL);
            any = true;
        }
        yaml_line(w, 3, arena_printf(w->l->arena, "port-%u", guest),
            host ? arena_printf(w->l->arena, "{ guest: %u, host: %u }", guest, host)
                 : arena_printf(w->l->arena, "{ guest: %u }", guest));
    }
}

static bool is_virtio_net(const char *model)
{
    return model && (strcmp(model, "virtio") == 0 || g_str_has_prefix(model, "virtio-net"));
}

static void judge_net(YamlWriter *w, const LegacyNet *net, const char *path, bool known)
{
    static const char *const understood[] = { "type", "id", "hostfwd", "model", "mac", "macaddr",
        "netdev", "ifname", "script", "downscript", "vlan", NULL };

    if (!known) {
        legacy_note(w->l, LOST, net->at, path, "lathe has no networks of type `%s`", net->type);
    } else if (!is_virtio_net(net->model)) {
        legacy_note(w->l, CLOSE, net->at, path, "the card is virtio-net in place of `%s`",
            net->model ? net->model : "the board's own");
    } else {
        legacy_note(w->l, EXACT, net->at, path, NULL);
    }
    for (unsigned i = 0; net->backend && i < net->backend->count; i++) {
        const Opt *opt = &net->backend->items[i];

        if (!g_strv_contains(understood, opt->key)) {
            legacy_note(w->l, LOST, opt->key_at, path, "lathe's networks have no `%s`", opt->key);
        }
    }
}

static void write_network(YamlWriter *w, const LegacyNet *net)
{
    static const char *const types[] = { "user", "tap", "none", NULL };
    bool known = g_strv_contains(types, net->type);
    const Opt *id = net->backend ? opts_find(net->backend, "id") : NULL;
    const char *name = yaml_own_name(w, id ? id->value : net->id ? net->id : "net0");
    const char *path = arena_printf(w->l->arena, "net.%s", name);
    unsigned from = w->l->notes->len;
    g_autofree char *mac = net->mac ? g_ascii_strdown(net->mac, -1) : NULL;

    judge_net(w, net, path, known);
    yaml_notes(w, 1, path, from);
    yaml_line(w, 1, name, NULL);
    yaml_text(w, 2, "type", known ? net->type : "none");
    if (mac && strlen(mac) == 17) {
        yaml_line(w, 2, "mac", arena_printf(w->l->arena, "\"%s\"", mac));
    }
    write_forwards(w, net, path);
}

void yaml_networks(YamlWriter *w)
{
    if (w->l->networks->len == 0) {
        return;
    }
    g_hash_table_remove_all(w->names);
    yaml_line(w, 0, "net", NULL);
    for (unsigned i = 0; i < w->l->networks->len; i++) {
        write_network(w, g_ptr_array_index(w->l->networks, i));
    }
}

/* -netdev, -net and -nic (DRIVE.md says nothing of them: qemu-system(1), "Network options"). */
#include "config/legacy/networks.h"

#include <string.h>

#include "config/legacy/devices.h"

static Opts *netdev_find(const Legacy *l, const char *id)
{
    for (unsigned i = 0; i < l->netdevs->len; i++) {
        Opts *opts = g_ptr_array_index(l->netdevs, i);
        const Opt *own = opts_find(opts, "id");

        if (own && strcmp(own->value, id) == 0) {
            return opts;
        }
    }
    return NULL;
}

static const char *text_of(const Opts *opts, const char *key)
{
    const Opt *opt = opts ? opts_find(opts, key) : NULL;

    return opt ? opt->value : NULL;
}

static LegacyNet *net_new(Legacy *l, Opts *backend, Span at)
{
    LegacyNet *net = ARENA_NEW(l->arena, LegacyNet);

    net->backend = backend;
    net->type = backend ? text_of(backend, "type") : "none";
    net->type = net->type ? net->type : "none";
    net->at = at;
    g_ptr_array_add(l->networks, net);
    return net;
}

static bool is_network(const QemuDevice *device, const Opts *opts)
{
    return opts_find(opts, "netdev") || opts_find(opts, "mac") ||
        g_str_has_prefix(device->name, "virtio-net");
}

static bool read_device(Legacy *l, Opts *opts)
{
    const char *driver = text_of(opts, "driver"), *netdev = text_of(opts, "netdev");
    QemuDevice device;
    LegacyNet *net;

    qemu_device_find(l->arch, driver, &device);
    if (device.flags & DEVICE_DRIVE || device.brings) {
        return true;
    }
    if (!is_network(&device, opts)) {
        g_ptr_array_add(l->others, opts);
        return true;
    }
    if (netdev && !netdev_find(l, netdev)) {
        return legacy_refuse(l, DIAG_LEGACY_NAME, opts_find(opts, "netdev")->value_at,
            "there is no -netdev with the id `%s`", netdev);
    }
    net = net_new(l, netdev ? netdev_find(l, netdev) : NULL, opts->at);
    net->model = device.name;
    net->mac = text_of(opts, "mac");
    net->id = text_of(opts, "id");
    net->device = opts;
    return true;
}

/*
 * A card for PCI that the program was not built with, or on boards that have no others, anything
 * else. Other boards may have models of their own.
 */
static bool check_model(Legacy *l, const Opts *opts)
{
    static const char cards[] =
        "e1000 e1000-82544gc e1000-82545em e1000e i82550 i82551 i82557a i82557b i82557c i82558a "
        "i82558b i82559a i82559b i82559c i82559er i82562 i82801 ne2k_pci pcnet pvrdma rtl8139 "
        "sungem tulip virtio-net-pci virtio-net-pci-non-transitional virtio-net-pci-transitional "
        "vmxnet3";
    const Opt *model = opts_find(opts, "model");
    bool pc = opt_is_among("i386 x86_64", l->arch) && qemu_board_claims(l->board, "floppy") > 0,
         virt = opt_is_among("arm aarch64", l->arch) && g_str_has_prefix(l->machine, "virt-");
    QemuDevice device;
    bool good;

    if (!model || l->as == AS_2011 || strcmp(model->value, "virtio") == 0) {
        return true;
    }
    good = opt_is_among(cards, model->value) ? qemu_device_find(l->arch, model->value, &device)
        : pc                                 ? strcmp(model->value, "ne2k_isa") == 0
                                             : !virt;
    return good ||
        legacy_refuse(l, DIAG_LEGACY_NAME, model->value_at, "%s has no network card `%s`",
            l->program, model->value);
}

/* `-net nic` and `-net user` meet on a hub; with one of each, it is a wire. */
static bool read_net(Legacy *l, Opts *opts)
{
    const char *type = text_of(opts, "type");
    LegacyNet *net;
    Opts *backend = NULL;

    if (!check_model(l, opts)) {
        return false;
    }
    if (strcmp(opts->option, "-nic") == 0) {
        if (type && strcmp(type, "none") == 0) {
            return true;
        }
        net = net_new(l, opts, opts->at);
        net->model = text_of(opts, "model");
        net->mac = text_of(opts, "mac");
        net->id = text_of(opts, "id");
        return true;
    }
    if (!type || strcmp(type, "nic") != 0) {
        return true;
    }
    for (unsigned i = 0; i < l->nets->len; i++) {
        Opts *other = g_ptr_array_index(l->nets, i);
        const char *what = text_of(other, "type");

        if (strcmp(other->option, "-net") == 0 && what && strcmp(what, "nic") != 0 &&
            strcmp(what, "none") != 0) {
            backend = other;
        }
    }
    if (text_of(opts, "netdev")) {
        backend = netdev_find(l, text_of(opts, "netdev"));
    }
    net = net_new(l, backend, opts->at);
    net->model = text_of(opts, "model");
    net->mac = text_of(opts, "macaddr");
    return true;
}

bool networks_read(Legacy *l)
{
    for (unsigned i = 0; i < l->nets->len; i++) {
        if (!read_net(l, g_ptr_array_index(l->nets, i))) {
            return false;
        }
    }
    for (unsigned i = 0; i < l->devices->len; i++) {
        if (!read_device(l, g_ptr_array_index(l->devices, i))) {
            return false;
        }
    }
    return true;
}

bool networks_forward(const char *text, unsigned *host, unsigned *guest, bool *udp)
{
    const char *dash = strrchr(text, '-'), *last = dash;
    uint64_t value;

    *udp = g_str_has_prefix(text, "udp:");
    if (!dash || (!*udp && !g_str_has_prefix(text, "tcp:") && *text != ':')) {
        return false;
    }
    while (last > text && last[-1] != ':') {
        last--;
    }
    {
        g_autofree char *from = g_strndup(last, dash - last);
        const char *to = strrchr(dash, ':');

        if (!opt_number(from, &value) || value > 65535) {
            return false;
        }
        *host = value;
        if (!opt_number(to ? to + 1 : dash + 1, &value) || value == 0 || value > 65535) {
            return false;
        }
        *guest = value;
    }
    return true;
}

/* Domain XML → arguments of QEMU. */
#include "config/legacy/libvirt.h"

#include "core/have.h"
#include <string.h>

#ifdef HAVE_LIBXML_2_0
#include <libxml/parser.h>

#include "core/dynamic.h"

#define CALLS(C) C(xmlReadMemory) C(xmlFreeDoc) C(xmlDocGetRootElement)

static struct {
    CALLS(DYNAMIC_POINTER)
} xml2;
static const DynamicCall calls[] = { CALLS(DYNAMIC_CALL){ 0 } };

typedef struct Reader {
    GPtrArray *arguments;
    QemuRemark remark;
    void *data;
    unsigned disks, nets;
    bool scsi, usb, sata;

    /* For the way back: what has no other word, as XML or as attributes. */
    Node *kept;
    Arena *arena;
} Reader;

/* ---- the tree ---- */

static bool is_element(const xmlNode *node, const char *name)
{
    return node && node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static const xmlNode *child(const xmlNode *node, const char *name)
{
    for (const xmlNode *at = node ? node->children : NULL; at; at = at->next) {
        if (is_element(at, name)) {
            return at;
        }
    }
    return NULL;
}

/* The text of an element; NULL: no element, or nothing in it. */
static const char *text(const xmlNode *node)
{
    const xmlNode *at = node ? node->children : NULL;

    return at && (at->type == XML_TEXT_NODE || at->type == XML_CDATA_SECTION_NODE)
        ? (const char *)at->content
        : NULL;
}

static const char *attribute(const xmlNode *node, const char *name)
{
    for (const xmlAttr *at = node ? node->properties : NULL; at; at = at->next) {
        if (strcmp((const char *)at->name, name) == 0) {
            return at->children ? (const char *)at->children->content : "";
        }
    }
    return NULL;
}

static void add(Reader *r, const char *option, const char *argument)
{
    g_ptr_array_add(r->arguments, g_strdup(option));
    if (argument) {
        g_ptr_array_add(r->arguments, g_strdup(argument));
    }
}

/* `,key=value`, commas doubled; nothing without a value. */
static void put(GString *option, const char *key, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value ? value : "", ",", -1);
    g_autofree char *doubled = g_strjoinv(",,", parts);

    if (value) {
        g_string_append_printf(option, "%s%s=%s", option->len ? "," : "", key, doubled);
    }
}

/* ---- what is kept for the way back ---- */

/* `${` names a parameter in a machine file, `$${` does not. */
static Node *kept_string(Reader *r, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "${", -1);
    g_autofree char *plain = g_strjoinv("$${", parts);

    return node_new_string(r->arena, arena_text(r->arena, plain, strlen(plain)), NO_MARK);
}

static void keep_text(Reader *r, Node *map, const char *key, const char *value)
{
    if (value) {
        node_map_set(
            r->arena, map, arena_text(r->arena, key, strlen(key)), NO_MARK, kept_string(r, value));
    }
}

/* The map or list at a key, made if need be. */
static Node *keep_under(Reader *r, Node *map, const char *key, NodeKind kind)
{
    Node *node = node_get(map, key);

    if (!node) {
        node = node_new(r->arena, kind, NO_MARK);
        node_map_set(r->arena, map, arena_text(r->arena, key, strlen(key)), NO_MARK, node);
    }
    return node;
}

static void print_attributes(GString *out, const xmlNode *node, bool outermost)
{
    if (node->ns && node->ns->prefix && outermost) {
        g_string_append_printf(
            out, " xmlns:%s='%s'", (const char *)node->ns->prefix, (const char *)node->ns->href);
    }
    for (const xmlNs *ns = outermost ? NULL : node->nsDef; ns; ns = ns->next) {
        g_string_append_printf(out, " xmlns%s%s='%s'", ns->prefix ? ":" : "",
            ns->prefix ? (const char *)ns->prefix : "", (const char *)ns->href);
    }
    for (const xmlAttr *at = node->properties; at; at = at->next) {
        g_autofree char *value = g_markup_escape_text(
            at->children ? (const char *)at->children->content : "", -1);

        g_string_append_printf(out, " %s='%s'", (const char *)at->name, value);
    }
}

static void print_element(GString *out, const xmlNode *node, bool outermost)
{
    const char *prefix = node->ns && node->ns->prefix ? (const char *)node->ns->prefix : "";
    g_autofree char *name = g_strdup_printf(
        "%s%s%s", prefix, *prefix ? ":" : "", (const char *)node->name);

    g_string_append_printf(out, "<%s", name);
    print_attributes(out, node, outermost);
    g_string_append(out, node->children ? ">" : "/>");
    for (const xmlNode *at = node->children; at; at = at->next) {
        if (at->type == XML_ELEMENT_NODE) {
            print_element(out, at, false);
        } else if (at->type == XML_TEXT_NODE || at->type == XML_CDATA_SECTION_NODE) {
            g_autofree char *raw = g_strdup((const char *)at->content);
            g_autofree char *escaped = g_markup_escape_text(g_strstrip(raw), -1);

            g_string_append(out, escaped);
        }
    }
    if (node->children) {
        g_string_append_printf(out, "</%s>", name);
    }
}

/* An element as it is, in the list at `key`. */
static void keep_element(Reader *r, Node *map, const char *key, const xmlNode *node)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Node *list = keep_under(r, map, key, NODE_LIST);

    print_element(out, node, true);
    node_list_add(r->arena, list, kept_string(r, out->str));
}

static void keep_children(
    Reader *r, Node *map, const char *key, const xmlNode *node, const char *const *told)
{
    for (const xmlNode *at = node ? node->children : NULL; at; at = at->next) {
        if (at->type == XML_ELEMENT_NODE && !g_strv_contains(told, (const char *)at->name)) {
            keep_element(r, map, key, at);
        }
    }
}

static void keep_attributes(Reader *r, Node *map, const xmlNode *node, const char *const *told)
{
    for (const xmlAttr *at = node ? node->properties : NULL; at; at = at->next) {
        if (!g_strv_contains(told, (const char *)at->name)) {
            keep_text(r, map, (const char *)at->name,
                at->children ? (const char *)at->children->content : "");
        }
    }
}

/* ---- the machine ---- */

/* libvirt's default unit of memory is KiB. */
static void read_memory(Reader *r, const xmlNode *domain)
{
    static const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = { { "b", 1 }, { "bytes", 1 }, { "KB", 1000 }, { "k", 1024 }, { "KiB", 1024 },
        { "MB", 1000000 }, { "M", 1 << 20 }, { "MiB", 1 << 20 }, { "GB", 1000000000 },
        { "G", 1 << 30 }, { "GiB", 1 << 30 } };
    const xmlNode *memory = child(domain, "memory");
    const char *unit = attribute(memory, "unit"), *amount = text(memory);
    uint64_t bytes = 1024;

    for (unsigned i = 0; unit && i < G_N_ELEMENTS(units); i++) {
        bytes = strcmp(units[i].unit, unit) == 0 ? units[i].bytes : bytes;
    }
    if (amount) {
        g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT "K",
            MIN(g_ascii_strtoull(amount, NULL, 10), G_MAXUINT64 / bytes) * bytes / 1024);

        add(r, "-m", size);
    }
}

/* Firmware in flash is two drives; other firmware is -bios. */
static void read_firmware(Reader *r, const xmlNode *os)
{
    const xmlNode *files[] = { child(os, "loader"), child(os, "nvram") };
    const char *read_only[] = { "on", "off" };
    bool flash = g_strcmp0(attribute(files[0], "type"), "pflash") == 0;

    if (!flash && text(files[0])) {
        add(r, "-bios", text(files[0]));
    }
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *id = g_strdup_printf("flash%u", i);
        g_autoptr(GString) option = g_string_new(NULL);

        if (flash && text(files[i])) {
            put(option, "id", id);
            put(option, "file", text(files[i]));
            g_string_append_printf(
                option, ",format=raw,if=pflash,unit=%u,read-only=%s", i, read_only[i]);
            add(r, "-drive", option->str);
            keep_text(r, keep_under(r, keep_under(r, r->kept, "disks", NODE_MAP), id, NODE_MAP),
                "in", (const char *)files[i]->name);
        }
    }
}

static void read_cpus(Reader *r, const xmlNode *domain)
{
    const xmlNode *cpu = child(domain, "cpu"), *topology = child(cpu, "topology");
    const char *mode = attribute(cpu, "mode"), *model = text(child(cpu, "model"));
    static const char *const parts[] = { "sockets", "dies", "cores", "threads" };
    g_autoptr(GString) smp = g_string_new(text(child(domain, "vcpu")));

    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        put(smp, parts[i], attribute(topology, parts[i]));
    }
    if (smp->len) {
        add(r, "-smp", smp->str);
    }
    if (model || (mode && strcmp(mode, "custom") != 0)) {
        add(r, "-cpu", model ? model : strcmp(mode, "maximum") == 0 ? "max" : "host");
    }
    if (cpu) {
        keep_element(r, r->kept, "domain", cpu);
    }
}

static void read_machine(Reader *r, const xmlNode *domain)
{
    static const char *const direct[][2] = { { "kernel", "-kernel" }, { "initrd", "-initrd" },
        { "cmdline", "-append" }, { "dtb", "-dtb" } };
    static const char *const told[] = { "type", "kernel", "initrd", "cmdline", "dtb", NULL };
    const xmlNode *os = child(domain, "os"), *type = child(os, "type");
    const char *arch = attribute(type, "arch"), *machine = attribute(type, "machine");
    g_autofree char *program = g_strdup_printf("qemu-system-%s", arch ? arch : "x86_64");

    add(r, program, NULL);
    if (machine) {
        add(r, "-M", machine);
    }
    keep_text(r, r->kept, "type", attribute(domain, "type"));
    keep_text(r, r->kept, "arch", arch);
    keep_text(r, r->kept, "machine", machine);
    keep_children(r, r->kept, "os", os, told);
    if (text(child(domain, "name"))) {
        add(r, "-name", text(child(domain, "name")));
        keep_text(r, r->kept, "name", text(child(domain, "name")));
    }
    read_cpus(r, domain);
    read_memory(r, domain);
    for (unsigned i = 0; i < G_N_ELEMENTS(direct); i++) {
        if (text(child(os, direct[i][0]))) {
            add(r, direct[i][1], text(child(os, direct[i][0])));
        }
    }
    read_firmware(r, os);
    if (child(os, "boot")) {
        add(r, "-boot", attribute(child(os, "boot"), "dev"));
    }
    add(r, "-nodefaults", NULL);
}

/* ---- disks ---- */

static void put_limits(GString *option, const xmlNode *limits)
{
    static const char *const kinds[] = { "bytes", "iops" },
                             *const ways[] = { "total", "read", "write" };

    static const char *const ends[][2] = { { "", "" }, { "_max", "-max" },
        { "_max_length", "-max-length" } };

    for (unsigned i = 0; limits && i < 18; i++) {
        const char *kind = kinds[i / 9], *way = ways[i / 3 % 3], *const *end = ends[i % 3];
        g_autofree char *theirs = g_strdup_printf("%s_%s_sec%s", way, kind, end[0]);
        g_autofree char *ours = g_strdup_printf(
            "throttling.%s-%s%s", i < 9 ? "bps" : kind, way, end[1]);

        put(option, ours, text(child(limits, theirs)));
    }
    put(option, "throttling.iops-size", text(child(limits, "size_iops_sec")));
    put(option, "throttling.group", text(child(limits, "group_name")));
}

/* `<source protocol='nbd' name='x'><host name= port=/></source>` as a URL. */
static char *network_url(const xmlNode *source)
{
    const xmlNode *host = child(source, "host");
    const char *port = attribute(host, "port"), *name = attribute(source, "name");
    const char *address = attribute(host, "name"), *protocol = attribute(source, "protocol");

    if (g_strcmp0(attribute(host, "transport"), "unix") == 0) {
        return g_strdup_printf("%s+unix:///%s?socket=%s", protocol ? protocol : "",
            name ? name : "", attribute(host, "socket") ? attribute(host, "socket") : "");
    }
    return g_strdup_printf("%s://%s%s%s/%s", protocol ? protocol : "", address ? address : "",
        port ? ":" : "", port ? port : "", name ? name : "");
}

static void put_driver(GString *option, const xmlNode *disk)
{
    static const char *const keys[][2] = { { "type", "format" }, { "cache", "cache" },
        { "io", "aio" }, { "discard", "discard" }, { "detect_zeroes", "detect-zeroes" },
        { "copy_on_read", "copy-on-read" }, { "error_policy", "werror" },
        { "rerror_policy", "rerror" } };
    const xmlNode *driver = child(disk, "driver");

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *value = attribute(driver, keys[i][0]);

        if (value && strcmp(value, "default") != 0) {
            put(option, keys[i][1], strcmp(value, "enospace") == 0 ? "enospc" : value);
        }
    }
}

static void need(Reader *r, bool *there, const char *controller)
{
    if (!*there) {
        add(r, "-device", controller);
        *there = true;
    }
}

/* Where the drive goes: an interface, or a device of its own behind a controller. */
static char *place_disk(Reader *r, GString *option, const xmlNode *disk, const char *id)
{
    const xmlNode *target = child(disk, "target");
    const char *bus = attribute(target, "bus"), *name = attribute(target, "dev");
    const char *kind = attribute(disk, "device");
    bool cd = g_strcmp0(kind, "cdrom") == 0;
    unsigned index = name && strlen(name) >= 3 ? (unsigned char)(name[2] - 'a') : 0;
    const char *device = "virtio-blk";

    if (!bus) {
        bus = name && *name == 'v' ? "virtio" : name && *name == 's' ? "scsi" : "ide";
    }
    if (g_strcmp0(kind, "floppy") == 0) {
        g_string_append_printf(option, ",if=floppy,index=%u", index);
        return NULL;
    }
    if (strcmp(bus, "ide") == 0) {
        device = NULL;
        g_string_append_printf(option, ",if=ide,index=%u", index);
    } else if (strcmp(bus, "scsi") == 0) {
        need(r, &r->scsi, "virtio-scsi-pci,id=scsi0");
        device = cd ? "scsi-cd" : "scsi-hd";
    } else if (strcmp(bus, "sata") == 0) {
        need(r, &r->sata, "ich9-ahci,id=sata0");
        device = cd ? "ide-cd" : "ide-hd";
    } else if (strcmp(bus, "usb") == 0) {
        need(r, &r->usb, "qemu-xhci,id=usb0");
        device = "usb-storage";
    }
    if (!device) {
        return NULL;
    }
    g_string_append_printf(option, ",if=none");
    return strcmp(bus, "sata") == 0
        ? g_strdup_printf("%s,drive=%s,bus=sata0.%u", device, id, index % 6)
        : g_strdup_printf("%s,drive=%s", device, id);
}

/* Where it was, and what lathe has no word for. */
static void keep_disk(Reader *r, const xmlNode *disk, const char *id)
{
    static const char *const told[] = { "driver", "source", "serial", "readonly", "transient",
        "iotune", "target", NULL };
    static const char *const driver_told[] = { "name", "type", "cache", "io", "discard",
        "detect_zeroes", "copy_on_read", "error_policy", "rerror_policy", NULL };
    static const char *const source_told[] = { "file", "dev", "protocol", "name", NULL };
    static const char *const in_source_told[] = { "host", NULL }, *const none[] = { NULL };
    Node *map = keep_under(r, keep_under(r, r->kept, "disks", NODE_MAP), id, NODE_MAP);
    Node *driver = node_new(r->arena, NODE_MAP, NO_MARK);
    Node *source = node_new(r->arena, NODE_MAP, NO_MARK);

    keep_text(r, map, "type", attribute(disk, "type"));
    keep_text(r, map, "device", attribute(disk, "device"));
    keep_attributes(r, keep_under(r, map, "target", NODE_MAP), child(disk, "target"), none);
    keep_attributes(r, driver, child(disk, "driver"), driver_told);
    if (driver->map.count) {
        node_map_set(r->arena, map, "driver", NO_MARK, driver);
    }
    keep_attributes(r, source, child(disk, "source"), source_told);
    if (source->map.count) {
        node_map_set(r->arena, map, "source", NO_MARK, source);
    }
    keep_children(r, map, "in-source", child(disk, "source"), in_source_told);
    keep_children(r, map, "more", disk, told);
}

static void read_disk(Reader *r, const xmlNode *disk)
{
    const xmlNode *source = child(disk, "source");
    const char *file = attribute(source, "file"), *dev = attribute(source, "dev");
    g_autofree char *id = g_strdup_printf("disk%u", r->disks++), *device = NULL, *url = NULL;
    g_autoptr(GString) option = g_string_new(NULL);
    const char *serial = text(child(disk, "serial"));

    put(option, "id", id);
    if (attribute(source, "protocol")) {
        url = network_url(source);
    }
    put(option, "file", file ? file : dev ? dev : url);
    if (file || dev || url) {
        put_driver(option, disk);
    }
    if (g_strcmp0(attribute(disk, "device"), "cdrom") == 0) {
        put(option, "media", "cdrom");
    }
    if (child(disk, "readonly")) {
        put(option, "read-only", "on");
    }
    if (child(disk, "transient")) {
        put(option, "snapshot", "on");
    }
    keep_disk(r, disk, id);
    put_limits(option, child(disk, "iotune"));
    device = place_disk(r, option, disk, id);
    add(r, "-drive", option->str);
    if (device) {
        g_autofree char *full = g_strdup_printf(
            "%s%s%s", device, serial ? ",serial=" : "", serial ? serial : "");

        add(r, "-device", full);
    }
}

/* ---- other devices ---- */

static void keep_interface(Reader *r, const xmlNode *interface, const char *id)
{
    static const char *const told[] = { "mac", NULL };
    Node *map = keep_under(r, keep_under(r, r->kept, "interfaces", NODE_MAP), id, NODE_MAP);

    keep_text(r, map, "type", attribute(interface, "type"));
    keep_children(r, map, "more", interface, told);
}

static void read_interface(Reader *r, const xmlNode *interface)
{
    const char *type = attribute(interface, "type"),
               *mac = attribute(child(interface, "mac"), "address");
    const char *model = attribute(child(interface, "model"), "type");
    bool user = !type || strcmp(type, "user") == 0, virtio = !model || strcmp(model, "virtio") == 0;
    g_autofree char *backend = g_strdup_printf("%s,id=net%u", user ? "user" : "tap", r->nets);
    g_autofree char *device = g_strdup_printf("%s,netdev=net%u%s%s", virtio ? "virtio-net" : model,
        r->nets++, mac ? ",mac=" : "", mac ? mac : "");

    if (!user) {
        r->remark(r->data, "close", "devices/interface", "networks of libvirt are a tap here");
    }
    add(r, "-netdev", backend);
    add(r, "-device", device);
    keep_interface(r, interface, backend + strlen(backend) - strlen(strrchr(backend, '=') + 1));
}

static void read_device(Reader *r, const xmlNode *device)
{
    static const struct {
        const char *element, *option, *argument; /* option NULL: nothing to say */
        bool kept;
    } plain[] = { { "serial", "-serial", "stdio", true }, { "console", NULL, NULL, true },
        { "emulator", NULL, NULL, true }, { "rng", "-device", "virtio-rng", true },
        { "controller", NULL, NULL, true }, { "input", NULL, NULL, true } };

    for (unsigned i = 0; i < G_N_ELEMENTS(plain); i++) {
        if (is_element(device, plain[i].element)) {
            if (plain[i].option) {
                add(r, plain[i].option, plain[i].argument);
            }
            keep_element(r, r->kept, "devices", device);
            return;
        }
    }
    if (is_element(device, "disk")) {
        read_disk(r, device);
    } else if (is_element(device, "interface")) {
        read_interface(r, device);
    } else if (is_element(device, "memballoon")) {
        if (g_strcmp0(attribute(device, "model"), "none") != 0) {
            add(r, "-device", "virtio-balloon");
        }
        keep_element(r, r->kept, "devices", device);
    } else {
        g_autofree char *path = g_strdup_printf("devices/%s", (const char *)device->name);

        r->remark(r->data, "lost", path, "lathe has nothing of this kind; kept for the way back");
        keep_element(r, r->kept, "devices", device);
    }
}

static void read_domain(Reader *r, const xmlNode *domain)
{
    static const char *const told[] = { "name", "memory", "currentMemory", "vcpu", "os", "cpu",
        "devices", NULL };
    static const char *const quiet[] = { "uuid", "title", "description", "metadata", "on_poweroff",
        "on_reboot", "on_crash", "features", NULL };

    read_machine(r, domain);
    for (const xmlNode *at = child(domain, "devices") ? child(domain, "devices")->children : NULL;
         at; at = at->next) {
        if (at->type == XML_ELEMENT_NODE) {
            read_device(r, at);
        }
    }
    for (const xmlNode *at = domain->children; at; at = at->next) {
        const char *name = at->type == XML_ELEMENT_NODE ? (const char *)at->name : NULL;

        if (!name || g_strv_contains(told, name)) {
            continue;
        }
        keep_element(r, r->kept, "domain", at);
        if (!g_strv_contains(quiet, name)) {
            r->remark(
                r->data, "lost", name, "lathe has nothing of this kind; kept for the way back");
        }
    }
}

GPtrArray *libvirt_arguments(const char *xml, size_t size, const LibvirtSink *sink, GError **error)
{
    Reader reader = { .arguments = g_ptr_array_new_with_free_func(g_free),
        .remark = sink->remark,
        .data = sink->data,
        .kept = sink->kept,
        .arena = sink->arena };
    const xmlNode *root;
    xmlDoc *document;

    if (!dynamic_load("libxml2.so.2", "libxml2", calls, &xml2, error)) {
        g_ptr_array_unref(reader.arguments);
        return NULL;
    }
    document = xml2.xmlReadMemory(xml, MIN(size, G_MAXINT), "domain.xml", NULL,
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    root = document ? xml2.xmlDocGetRootElement(document) : NULL;
    if (!is_element(root, "domain") || document->intSubset) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
            "this is not the XML of a domain, or has a DTD");
        g_clear_pointer(&reader.arguments, g_ptr_array_unref);
    } else {
        read_domain(&reader, root);
    }
    if (document) {
        xml2.xmlFreeDoc(document);
    }
    return reader.arguments;
}

#else

GPtrArray *libvirt_arguments(const char *xml, size_t size, const LibvirtSink *sink, GError **error)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
        "this lathe was built without libxml2: install libxml2-dev and build it again");
    return NULL;
}

#endif

/* Domain XML → arguments of QEMU. */
#include "config/legacy/libvirt.h"

#include "core/have.h"
#include <gio/gio.h>
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

static void read_machine(Reader *r, const xmlNode *domain)
{
    static const char *const direct[][2] = { { "kernel", "-kernel" }, { "initrd", "-initrd" },
        { "cmdline", "-append" }, { "dtb", "-dtb" } };
    const xmlNode *os = child(domain, "os"), *type = child(os, "type");
    const char *arch = attribute(type, "arch"), *machine = attribute(type, "machine");
    g_autofree char *program = g_strdup_printf("qemu-system-%s", arch ? arch : "x86_64");

    add(r, program, NULL);
    if (machine) {
        add(r, "-M", machine);
    }
    if (text(child(domain, "name"))) {
        add(r, "-name", text(child(domain, "name")));
    }
    if (text(child(domain, "vcpu"))) {
        add(r, "-smp", text(child(domain, "vcpu")));
    }
    if (text(child(child(domain, "cpu"), "model"))) {
        add(r, "-cpu", text(child(child(domain, "cpu"), "model")));
    }
    read_memory(r, domain);
    for (unsigned i = 0; i < G_N_ELEMENTS(direct); i++) {
        if (text(child(os, direct[i][0]))) {
            add(r, direct[i][1], text(child(os, direct[i][0])));
        }
    }
    if (text(child(os, "loader"))) {
        add(r, "-bios", text(child(os, "loader")));
    }
    if (text(child(os, "nvram"))) {
        r->remark(r->data, "lost", "os/nvram", "write the variables as a drive of its own");
    }
    add(r, "-nodefaults", NULL);
}

/* ---- disks ---- */

static void put_limits(GString *option, const xmlNode *limits)
{
    static const char *const kinds[] = { "bytes", "iops" },
                             *const ways[] = { "total", "read", "write" };

    for (unsigned i = 0; limits && i < 12; i++) {
        const char *kind = kinds[i / 6], *way = ways[i / 2 % 3], *end = i % 2 ? "_max" : "";
        g_autofree char *theirs = g_strdup_printf("%s_%s_sec%s", way, kind, end);
        g_autofree char *ours = g_strdup_printf(
            "throttling.%s-%s%s", i < 6 ? "bps" : kind, way, i % 2 ? "-max" : "");

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
}

static void read_device(Reader *r, const xmlNode *device)
{
    static const struct {
        const char *element, *option, *argument; /* option NULL: nothing to say */
    } plain[] = { { "serial", "-serial", "stdio" }, { "console", NULL }, { "emulator", NULL },
        { "rng", "-device", "virtio-rng" }, { "controller", NULL }, { "input", NULL } };

    for (unsigned i = 0; i < G_N_ELEMENTS(plain); i++) {
        if (is_element(device, plain[i].element)) {
            if (plain[i].option) {
                add(r, plain[i].option, plain[i].argument);
            }
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
    } else {
        g_autofree char *path = g_strdup_printf("devices/%s", (const char *)device->name);

        r->remark(r->data, "lost", path, "lathe has nothing of this kind");
    }
}

static void read_domain(Reader *r, const xmlNode *domain)
{
    static const char *const known[] = { "name", "memory", "currentMemory", "vcpu", "os", "cpu",
        "devices", "uuid", "title", "description", "metadata", "on_poweroff", "on_reboot",
        "on_crash", "features", NULL };

    read_machine(r, domain);
    for (const xmlNode *at = child(domain, "devices") ? child(domain, "devices")->children : NULL;
         at; at = at->next) {
        if (at->type == XML_ELEMENT_NODE) {
            read_device(r, at);
        }
    }
    for (const xmlNode *at = domain->children; at; at = at->next) {
        if (at->type == XML_ELEMENT_NODE && !g_strv_contains(known, (const char *)at->name)) {
            r->remark(r->data, "lost", (const char *)at->name, "lathe has nothing of this kind");
        }
    }
}

GPtrArray *libvirt_arguments(
    const char *xml, size_t size, QemuRemark remark, void *data, GError **error)
{
    Reader reader = {
        .arguments = g_ptr_array_new_with_free_func(g_free), .remark = remark, .data = data
    };
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
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
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

GPtrArray *libvirt_arguments(
    const char *xml, size_t size, QemuRemark remark, void *data, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
        "this lathe was built without libxml2: install libxml2-dev and build it again");
    return NULL;
}

#endif

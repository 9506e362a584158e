/* As QEMU 7.2 answered when it was asked with each of them. */
#include "config/legacy/values.h"

#include <stdio.h>
#include <string.h>

static bool is_uuid(const char *text)
{
    return g_uuid_string_is_valid(text);
}

/* A word, a day, or a day and a time. */
static bool is_base(const char *text)
{
    int year, month, day, hour, minute, second, end = 0;

    if (opt_is_among("utc localtime", text)) {
        return true;
    }
    if (sscanf(text, "%d-%d-%dT%d:%d:%d%n", &year, &month, &day, &hour, &minute, &second, &end) <
            6 &&
        sscanf(text, "%d-%d-%d%n", &year, &month, &day, &end) < 3) {
        return false;
    }
    return text[end] == '\0';
}

/* What a value may be: one of some words, or what a function says. */
/* clang-format off */
static const struct {
    const char *option, *key; /* NULL: the whole argument */
    const char *words;        /* NULL: */
    bool (*is)(const char *text);
    const char *what;
} rows[] = {
    { "numa", "type", "node dist cpu hmat-lb hmat-cache" },
    { "object", "qom-type",
      "authz-list authz-list-file authz-pam authz-simple can-bus can-host-socketcan colo-compare cryptodev-backend "
      "cryptodev-backend-builtin cryptodev-vhost-user dbus-vmstate filter-buffer filter-dump filter-mirror "
      "filter-redirector filter-replay filter-rewriter input-barrier input-linux iothread main-loop "
      "memory-backend-epc memory-backend-file memory-backend-memfd memory-backend-ram pef-guest pr-manager-helper "
      "qtest rng-builtin rng-egd rng-random s390-pv-guest secret secret_keyring sev-guest thread-context "
      "throttle-group tls-cipher-suites tls-creds-anon tls-creds-psk tls-creds-x509 x-remote-object" },
    { "rtc", "base", NULL, is_base, "utc, localtime or a time such as 2006-06-17T16:01:21" },
    { "rtc", "clock", "host rt vm" },
    { "rtc", "driftfix", "none slew" },
    { "smbios", "type", "0 1 2 3 4 8 11 17 41" },
    { "usbdevice", NULL, "mouse tablet keyboard wacom-tablet braille" },
    { "uuid", NULL, NULL, is_uuid, "a UUID, such as 550e8400-e29b-41d4-a716-446655440000" },
    { "vga", NULL, "none std cirrus vmware qxl virtio tcx cg3" },
    { "watchdog-action", NULL, "reset shutdown poweroff inject-nmi pause debug none" },
};
/* clang-format on */

/* What an argument's first element is when it has no `=`. */
static const char *implied_key(const char *option)
{
    return strcmp(option, "object") == 0 ? "qom-type" : strcmp(option, "numa") == 0 ? "type" : NULL;
}

static bool check(Legacy *l, unsigned row, const Word *argument)
{
    Span at = word_span(argument, 0, argument->length);
    const char *text = argument->text;

    if (rows[row].key) {
        Opts *opts = opts_parse(
            rows[row].option, argument, implied_key(rows[row].option), l->arena);
        const Opt *opt = opts_find(opts, rows[row].key);

        if (!opt) {
            return true;
        }
        text = opt->value;
        at = opt->value_at;
    }
    if (rows[row].words ? opt_is_among(rows[row].words, text) : rows[row].is(text)) {
        return true;
    }
    return legacy_refuse(l, DIAG_LEGACY_VALUE, at, "`%s` of -%s is not %s%s", text,
        rows[row].option, rows[row].words ? "one of: " : "",
        rows[row].words ? rows[row].words : rows[row].what);
}

bool values_check(Legacy *l, const char *option, const Word *argument)
{
    bool json = argument->text[0] == '{'; /* judged when it is read */

    for (unsigned i = 0; !json && i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].option, option) == 0 && !check(l, i, argument)) {
            return false;
        }
    }
    return true;
}

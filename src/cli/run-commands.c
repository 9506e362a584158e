#include "cli/run-commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/cache.h"
#include "block/drive.h"
#include "block/share.h"
#include "cli/cli.h"
#include "cli/drive-facts.h"
#include "core/loop.h"

enum { WORDS_MOST = 8 }; /* NAME cache={writeback: true, direct: true, no-flush: true} */

typedef bool Command(RunControl *control, char **arguments, GString *out);

static bool wrong(GString *out, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static bool wrong(GString *out, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    g_string_append_vprintf(out, fmt, args);
    va_end(args);
    g_string_append_c(out, '\n');
    return false;
}

/* ---- the machine ---- */

static bool status_command(RunControl *control, char **arguments, GString *out)
{
    if (control->stopped) {
        g_string_append_printf(out, "stopped: %s\n", control->stopped);
    } else {
        g_string_append(out, control->paused ? "paused\n" : "running\n");
    }
    return true;
}

static bool pause_command(RunControl *control, char **arguments, GString *out)
{
    control->paused = true;
    machine_pause(control->machine);
    return true;
}

void run_control_continue(RunControl *control)
{
    bool stopped = control->stopped != NULL;

    if (!stopped && !control->paused) {
        return;
    }
    control->paused = false;
    g_clear_pointer(&control->stopped, g_free);
    for (unsigned i = 0; stopped && i < control->drives->len; i++) {
        drive_retry(control->drives->pdata[i]);
    }
    machine_resume(control->machine);
}

static bool continue_command(RunControl *control, char **arguments, GString *out)
{
    run_control_continue(control);
    return true;
}

static bool reset_command(RunControl *control, char **arguments, GString *out)
{
    machine_request(control->machine, MACHINE_RESET, 0);
    return true;
}

static bool power_command(RunControl *control, char **arguments, GString *out)
{
    return machine_press(control->machine, "power") ||
        wrong(out, "this machine has no power button");
}

static bool stop_command(RunControl *control, char **arguments, GString *out)
{
    loop_quit(EXIT_FINE);
    return true;
}

/* ---- its drives ---- */

static void print_disk(
    GString *out, const char *name, uint64_t length, const DriveCache *cache, const char *more)
{
    g_autofree char *text = cache_text(cache);

    g_string_append_printf(
        out, "%-12s %14" PRIu64 " bytes  cache %s%s\n", name, length, text, more);
}

static bool drives_command(RunControl *control, char **arguments, GString *out)
{
    if (arguments[0]) {
        drives_facts(out, control->drives);
        return strcmp(arguments[0], "json") == 0 || wrong(out, "usage: drives [json]");
    }
    for (unsigned i = 0; i < control->drives->len; i++) {
        const Drive *drive = control->drives->pdata[i];

        print_disk(out, drive_id(drive), drive_length(drive), drive_cache(drive),
            drive_is_read_only(drive) ? "  read-only" : "");
    }
    return true;
}

static Drive *find_drive(RunControl *control, const char *name)
{
    for (unsigned i = 0; i < control->drives->len; i++) {
        if (strcmp(drive_id(control->drives->pdata[i]), name) == 0) {
            return control->drives->pdata[i];
        }
    }
    return NULL;
}

static void print_stats(const Drive *drive, GString *out)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);

    if (memory) {
        drive_print_stats(drive, memory);
        fclose(memory);
        g_string_append_len(out, text, length);
    }
    free(text);
}

/* A map is several words to a shell that it was not quoted from; gives how many. */
static unsigned take_setting(char **settings, GString *setting)
{
    unsigned count = 1;

    g_string_assign(setting, settings[0]);
    while (strchr(setting->str, '{') && !strchr(setting->str, '}') && settings[count]) {
        g_string_append_printf(setting, " %s", settings[count++]);
    }
    return count;
}

/* All of them are taken together, on top of what there is. */
static bool read_cache(DriveCache *cache, char **settings, GString *out)
{
    g_autoptr(GString) setting = g_string_new(NULL);

    for (unsigned i = 0; settings[i];) {
        i += take_setting(settings + i, setting);
        if (!cache_apply_setting(cache, setting->str)) {
            return wrong(out,
                "there is no cache mode `%s`: expected cache= and one of writeback, none, "
                "writethrough, directsync and unsafe, or a map of writeback, direct and no-flush "
                "to true or false, as in cache={direct: true}; or cache.writeback=, cache.direct= "
                "or cache.no-flush= and on or off",
                setting->str);
        }
    }
    return true;
}

static bool set_cache(Drive *drive, char **settings, GString *out)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *old = cache_text(drive_cache(drive)), *now = NULL;
    DriveCache cache = *drive_cache(drive);

    if (!read_cache(&cache, settings, out)) {
        return false;
    }
    if (!drive_set_cache(drive, &cache, &error)) {
        return wrong(out, "drive `%s` stays at cache %s: %s", drive_id(drive), old, error->message);
    }
    now = cache_text(&cache);
    g_string_append_printf(out, "drive %s: cache %s\n", drive_id(drive), now);
    if (cache.writeback && !cache.no_flush && !drive_offers_write_cache(drive)) {
        g_string_append(out,
            "each write stays durable all the same: the guest was told of no write cache, and "
            "does not flush\n");
    }
    return true;
}

static bool export_drive(Drive *drive, const char *path, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!path || path[0] != '/') {
        return wrong(out,
            "export wants the path of a Unix socket, from / on: the machine is in a "
            "folder of its own");
    }
    if (!drive_export(drive, path, &error)) {
        return wrong(out, "drive `%s` is not exported: %s", drive_id(drive), error->message);
    }
    g_string_append_printf(out, "nbd+unix:///?socket=%s\n", path);
    return true;
}

static bool print_drive(const Drive *drive, const char *form, GString *out)
{
    if (form && strcmp(form, "json") != 0) {
        return wrong(out, "stats are for people, or `stats json`");
    }
    if (form) {
        drive_facts(out, drive);
        g_string_append_c(out, '\n');
    } else {
        print_stats(drive, out);
    }
    return true;
}

static bool drive_command(RunControl *control, char **arguments, GString *out)
{
    Drive *drive = find_drive(control, arguments[0]);
    const char *what = arguments[1];

    if (!drive) {
        return wrong(out, "there is no drive `%s`; `drives` lists them", arguments[0]);
    }
    if (!what || strcmp(what, "stats") == 0) {
        return print_drive(drive, what ? arguments[2] : NULL, out);
    }
    if (g_str_has_prefix(what, "cache")) {
        return set_cache(drive, arguments + 1, out);
    }
    if (strcmp(what, "export") == 0) {
        return export_drive(drive, arguments[2], out);
    }
    if (strcmp(what, "unexport") == 0) {
        return drive_unexport(drive) || wrong(out, "drive `%s` is not exported", arguments[0]);
    }
    return wrong(out, "a drive has no `%s`: expected stats, cache=MODE, export or unexport", what);
}

/* ---- blocks that several drives use ---- */

static void list_block(void *data, const char *name, uint64_t length, const DriveCache *cache)
{
    print_disk(data, name, length, cache, "");
}

static bool blocks_command(RunControl *control, char **arguments, GString *out)
{
    share_each(list_block, out);
    return true;
}

static bool block_command(RunControl *control, char **arguments, GString *out)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *old = NULL, *now = NULL;
    DriveCache cache;

    if (!share_cache(arguments[0], &cache)) {
        return wrong(out, "there is no shared block `%s`; `blocks` lists them", arguments[0]);
    }
    old = cache_text(&cache);
    if (!read_cache(&cache, arguments + 1, out)) {
        return false;
    }
    if (!share_change_cache(arguments[0], &cache, &error)) {
        return wrong(out, "block `%s` stays at cache %s: %s", arguments[0], old, error->message);
    }
    now = cache_text(&cache);
    g_string_append_printf(out, "block %s: cache %s\n", arguments[0], now);
    if (cache.no_flush) {
        g_string_append(out, "what its drives flush is ignored there, whatever their mode\n");
    }
    return true;
}

/* ---- all of them ---- */

static bool help_command(RunControl *control, char **arguments, GString *out)
{
    run_commands_help(out);
    return true;
}

static const struct {
    const char *name, *arguments, *text;
    unsigned least, most; /* arguments */
    Command *run;
} commands[] = {
    { "status", "", "running, paused, or why a drive has stopped it", 0, 0, status_command },
    { "pause", "", "the machine stands still", 0, 0, pause_command },
    { "continue", "", "it goes on; requests that failed are tried again", 0, 0, continue_command },
    { "reset", "", "as its reset button", 0, 0, reset_command },
    { "power", "", "as its power button: the guest may shut down", 0, 0, power_command },
    { "stop", "", "ends it, as if its power were cut", 0, 0, stop_command },
    { "drives", "[json]", "lists them; or all about them", 0, 1, drives_command },
    { "drive", "NAME [stats [json]]", "what it did", 1, WORDS_MOST, drive_command },
    { "drive", "NAME cache=MODE", "another cache mode; or cache={direct: true}, and so on", 1,
        WORDS_MOST, drive_command },
    { "drive", "NAME export SOCKET", "lets others read it, by NBD; unexport ends that", 1,
        WORDS_MOST, drive_command },
    { "blocks", "", "lists those that several drives use", 0, 0, blocks_command },
    { "block", "NAME cache=MODE", "another cache mode for all of them", 2, WORDS_MOST,
        block_command },
    { "help", "", "this list", 0, 0, help_command },
};

void run_commands_help(GString *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *form = g_strdup_printf("%s %s", commands[i].name, commands[i].arguments);

        g_string_append_printf(out, "  %-32s %s\n", form, commands[i].text);
    }
}

bool run_command(void *data, char **words, GString *out)
{
    unsigned count = g_strv_length(words) - 1;

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, words[0]) != 0) {
            continue;
        }
        if (count < commands[i].least || count > commands[i].most) {
            return wrong(out, "usage: %s %s", commands[i].name, commands[i].arguments);
        }
        return commands[i].run(data, words + 1, out);
    }
    return wrong(out, "there is no command `%s`; `help` lists them", words[0]);
}

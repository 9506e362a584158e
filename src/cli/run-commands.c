#include "cli/run-commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/cache.h"
#include "block/drive.h"
#include "cli/cli.h"
#include "core/loop.h"

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

static bool drives_command(RunControl *control, char **arguments, GString *out)
{
    for (unsigned i = 0; i < control->drives->len; i++) {
        const Drive *drive = control->drives->pdata[i];

        g_string_append_printf(out, "%-12s %14" PRIu64 " bytes  cache %s%s\n", drive_id(drive),
            drive_length(drive), drive_cache_word(drive),
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

static bool set_cache(Drive *drive, const char *word, GString *out)
{
    g_autoptr(GError) error = NULL;
    DriveCache cache;

    if (!cache_from_word(word, &cache)) {
        return wrong(out,
            "there is no cache mode `%s`: expected writeback, none, writethrough, directsync or "
            "unsafe",
            word);
    }
    if (!drive_set_cache(drive, &cache, &error)) {
        return wrong(out, "drive `%s` stays at cache %s: %s", drive_id(drive),
            drive_cache_word(drive), error->message);
    }
    g_string_append_printf(out, "drive %s: cache %s\n", drive_id(drive), word);
    if (cache.writeback && !cache.no_flush && !drive_offers_write_cache(drive)) {
        g_string_append(out,
            "each write stays durable all the same: the guest was told of no write cache, and "
            "does not flush\n");
    }
    return true;
}

static bool drive_command(RunControl *control, char **arguments, GString *out)
{
    Drive *drive = arguments[0] ? find_drive(control, arguments[0]) : NULL;

    if (!drive) {
        return wrong(
            out, "there is no drive `%s`; `drives` lists them", arguments[0] ? arguments[0] : "");
    }
    if (!arguments[1] || strcmp(arguments[1], "stats") == 0) {
        print_stats(drive, out);
        return true;
    }
    if (g_str_has_prefix(arguments[1], "cache=")) {
        return set_cache(drive, arguments[1] + strlen("cache="), out);
    }
    return wrong(out, "a drive has no `%s`: expected stats or cache=MODE", arguments[1]);
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
    { "drives", "", "lists them", 0, 0, drives_command },
    { "drive", "NAME [stats|cache=MODE]", "what it did; or another cache mode for it", 1, 2,
        drive_command },
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

/* `lathe run FILE`: builds the machine and runs it, with its console on standard input and output. */
#include <glib-unix.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "block/drive.h"
#include "cli/cli.h"
#include "cli/drive-facts.h"
#include "cli/loading.h"
#include "cli/run-commands.h"
#include "cli/run-folder.h"
#include "cli/translate.h"
#include "core/boot.h"
#include "core/loop.h"
#include "core/trace.h"
#include "tcg/tcg.h"
#include "ui/monitor.h"
#include "ui/panic.h"
#include "ui/semihosting.h"
#include "ui/stdio.h"

/*
 * A guest in lockstep is some 50 times slower. If its time passed as the host's does it would do little more than
 * serve its timer.
 */
enum { CHECKED_SLOWER = 6 /* log2 */ };

/* Of --exec, when lathe itself is what failed: as docker run has it. */
enum { EXIT_OURS = 125 };

typedef struct Run {
    Translation *translation; /* of a command line of QEMU; NULL: it was a file */
    MachineSpec *spec;
    Machine *machine;
    GPtrArray *drives; /* Drive */
    Channel *console;
    SemihostingChannel *semihosting;
    PanicWatch *panic;
    gboolean stats;
    gboolean json; /* of the drives; what the translator did is for people */
    bool checked;  /* in lockstep: slowly */
    bool exec;     /* the guest's code is the exit status */
    bool executed; /* it ran */
    bool resetting;
    char *monitor_path; /* as it was asked for; NULL: in the folder of all that run */
    Monitor *monitor;
    RunControl control; /* what the monitor may do */
} Run;

/* ---- what the guest and the user ask ------------------------------------------------------------------- */

static void reset_later(void *data)
{
    Run *run = data;

    machine_reset(run->machine);
    run->resetting = false;
}

static void requested(void *data, MachineRequest what, int code)
{
    Run *run = data;
    bool panicked = panic_watch_message(run->panic) != NULL;

    if (what == MACHINE_RESET && !panicked) {
        if (!run->resetting) {
            run->resetting = true;
            loop_call(reset_later, run);
        }
    } else if (run->exec && !panicked) {
        loop_quit(what == MACHINE_FAIL && code == 0 ? EXIT_DIFFERENT : code & 0xff);
    } else if (what == MACHINE_POWEROFF && !panicked) {
        loop_quit(EXIT_FINE);
    } else {
        if (!panicked) {
            fprintf(stderr, "lathe: the guest says that it failed, with code %d\n", code);
        }
        loop_quit(EXIT_DIFFERENT);
    }
}

static void press(Run *run, const char *button)
{
    if (!machine_press(run->machine, button)) {
        fprintf(stderr, "\nlathe: this machine has no %s button\n", button);
    }
}

static const char *name_of(const Run *run)
{
    return run->spec->name.text ? run->spec->name.text : "machine";
}

/* A drive's policy on errors: the user makes room on the disk, and goes on. */
static void drive_failed(void *data, Drive *drive, const DriveFailure *failure)
{
    Run *run = data;
    static const char *const what[] = {
        [BLOCK_READ] = "a read",
        [BLOCK_WRITE] = "a write",
        [BLOCK_ZERO] = "a write of zeroes",
        [BLOCK_DISCARD] = "a discard",
        [BLOCK_FLUSH] = "a flush",
    };

    if (run->control.stopped) {
        return;
    }
    run->control.stopped = g_strdup_printf(
        "drive %s: %s of %" PRIu64 " bytes at %" PRIu64 " failed: %s", drive_id(drive),
        what[failure->io.op], failure->io.length, failure->io.at, g_strerror(-failure->error));
    machine_pause(run->machine);
    fprintf(stderr,
        "\nlathe: the machine is stopped: %s\n"
        "lathe: Ctrl-A c, or kill -USR1 %d, or `lathe monitor %s continue`, tries again and goes "
        "on\n",
        run->control.stopped, getpid(), run->monitor_path ? run->monitor_path : name_of(run));
}

static gboolean go_on_by_signal(void *data)
{
    Run *run = data;

    run_control_continue(&run->control);
    return G_SOURCE_CONTINUE;
}

static void escape(void *data, char key)
{
    Run *run = data;

    switch (key) {
    case 'x':
        fprintf(stderr, "\nlathe: ended by Ctrl-A x\n");
        loop_quit(panic_watch_message(run->panic) ? EXIT_DIFFERENT : EXIT_FINE);
        break;
    case 'r': machine_request(run->machine, MACHINE_RESET, 0); break;
    case 'p': press(run, "power"); break;
    case 'c': run_control_continue(&run->control); break;
    default:
        fprintf(stderr,
            "\nCtrl-A x      end the machine\n"
            "Ctrl-A r      reset it\n"
            "Ctrl-A p      push its power button\n"
            "Ctrl-A c      go on after a drive has stopped the machine\n"
            "Ctrl-A h      this help\n"
            "Ctrl-A Ctrl-A send Ctrl-A to the guest\n");
    }
}

static void spy(void *data, const uint8_t *bytes, size_t length)
{
    Run *run = data;

    panic_watch_feed(run->panic, bytes, length);
}

static gboolean ended_by_signal(void *data)
{
    fprintf(stderr, "\nlathe: ended by a signal\n");
    loop_quit(EXIT_FINE);
    return G_SOURCE_CONTINUE;
}

/* ---- building ------------------------------------------------------------------------------------------ */

/* A part of the file that can not be run yet stops the run; it is never ignored. */
static bool refuse_not_yet(const MachineSpec *spec, Diag *diag)
{
    for (unsigned i = 0; i < spec->not_yet_count; i++) {
        diag_error(diag, DIAG_NOT_YET, spec->not_yet[i].mark,
            "`%s` cannot be honoured by `lathe run` yet", spec->not_yet[i].path);
    }
    return spec->not_yet_count == 0;
}

static bool open_drives(Run *run, Diag *diag)
{
    bool fine = true;

    for (unsigned i = 0; i < run->spec->drive_count; i++) {
        const DriveSpec *spec = &run->spec->drives[i];
        Drive *drive = drive_open(spec, diag);

        if (!drive) {
            fine = false;
            continue;
        }
        drive_on_failure(drive, drive_failed, run);
        g_ptr_array_add(run->drives, drive);
        machine_set_drive(run->machine, spec->id, drive);
    }
    return fine;
}

/* The arguments are a file (and `count` 0), or with --qemu the words of a command line of QEMU. */
static MachineSpec *load(
    Run *run, char **arguments, unsigned count, const MachineOptions *options, Diag *diag)
{
    const ConfigOptions config = config_options(options);

    if (count == 0) {
        return config_load(arguments[0], &config, diag);
    }
    run->translation = translation_new(arguments, count, diag);
    return run->translation
        ? config_load_text(TRANSLATION_FILE, translation_text(run->translation), -1, &config, diag)
        : NULL;
}

/* A translation's errors are those of the command line. */
static void print_diag(const Run *run, const Diag *diag)
{
    if (run->translation) {
        translation_print(run->translation, diag, stderr);
    } else {
        diag_print(diag, stderr, diag_style_for(stderr));
    }
}

/* Without one, what runs is only at its console: that is no reason not to run. */
static bool open_monitor(Run *run, Diag *diag)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = run->monitor_path ? g_strdup(run->monitor_path)
                                              : run_folder_socket(name_of(run), NULL);

    run->control.machine = run->machine;
    run->control.drives = run->drives;
    machine_lock();
    run->monitor = path ? monitor_new(path, run_command, &run->control, &error) : NULL;
    machine_unlock();
    if (!run->monitor && run->monitor_path) {
        diag_error(diag, DIAG_HOST, (Mark){ 0 }, "no monitor at %s", error->message);
        return false;
    }
    return true;
}

static bool build(Run *run, Diag *diag)
{
    if (!run->spec || !refuse_not_yet(run->spec, diag) || !images_are_there(run->spec, diag)) {
        return false;
    }
    run->machine = machine_new(run->spec);
    if (!open_drives(run, diag)) {
        return false;
    }
    machine_lock();
    run->console = channel_new_stdio(escape, spy, run);
    machine_set_channel(run->machine, "serial0", run->console);
    run->semihosting = semihosting_channel_new(run->console);
    machine_set_semihosting(run->machine, &semihosting_channel_console, run->semihosting);
    bool built = machine_build(run->machine, tcg_cpu_create, diag);
    machine_unlock();
    if (!built || !machine_load_boot(run->machine, diag)) {
        return false;
    }
    if (run->checked) {
        machine_slow_down(run->machine, CHECKED_SLOWER);
    }
    machine_on_request(run->machine, requested, run);
    return open_monitor(run, diag);
}

static void print_stats(const Run *run)
{
    if (run->json) {
        g_autoptr(GString) facts = g_string_new(NULL);

        drives_facts(facts, run->drives);
        fputs(facts->str, stderr);
        return;
    }
    for (unsigned i = 0; i < run->drives->len; i++) {
        drive_print_stats(run->drives->pdata[i], stderr);
    }
    tcg_print_stats(run->machine, stderr);
}

/* False when something that the guest was told is written may be lost, which closing them says. */
static bool flush_drives(Run *run)
{
    bool fine = true;

    machine_lock();
    for (unsigned i = 0; i < run->drives->len; i++) {
        fine &= drive_flush(run->drives->pdata[i]) == 0;
    }
    machine_unlock();
    return fine;
}

static void tear_down(Run *run)
{
    machine_lock();
    g_clear_pointer(&run->monitor, monitor_free);
    machine_unlock();
    g_clear_pointer(&run->machine, machine_free);
    machine_lock();
    g_clear_pointer(&run->console, channel_free);
    g_clear_pointer(&run->semihosting, semihosting_channel_free);
    g_clear_pointer(&run->drives, g_ptr_array_unref);
    machine_unlock();
    g_clear_pointer(&run->control.stopped, g_free);
    g_free(run->monitor_path);
    g_clear_pointer(&run->panic, panic_watch_free);
    g_clear_pointer(&run->spec, machine_spec_free);
    g_clear_pointer(&run->translation, translation_free);
}

static int run_machine(Run *run)
{
    g_autoptr(GError) error = NULL;
    int code;

    if (!machine_start(run->machine, &error)) {
        fprintf(stderr, "lathe: cannot start the machine: %s\n", error->message);
        return EXIT_HOST;
    }
    g_unix_signal_add(SIGTERM, ended_by_signal, run);
    g_unix_signal_add(SIGINT, ended_by_signal, run);
    g_unix_signal_add(SIGUSR1, go_on_by_signal, run);
    code = loop_run();
    run->executed = true;
    machine_pause(run->machine);
    stdio_flush(run->console);
    if (panic_watch_message(run->panic)) {
        fprintf(stderr, "lathe: the guest panicked: %s\n", panic_watch_message(run->panic));
        code = EXIT_DIFFERENT;
    }
    if (!flush_drives(run) && code == EXIT_FINE) {
        code = EXIT_HOST;
    }
    if (run->stats || run->json) {
        print_stats(run);
    }
    return code;
}

/* ---- the verb ------------------------------------------------------------------------------------------ */

static int run_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    g_autofree char *trace = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Diag) diag = diag_new();
    Run run = { .drives = g_ptr_array_new_with_free_func((GDestroyNotify)drive_close) };
    TcgOptions tcg = { 0 };
    gboolean qemu = false;
    int first = 1;
    const GOptionEntry own[] = {
        { "trace", 0, 0, G_OPTION_ARG_STRING, &trace, NULL, NULL },
        { "monitor", 0, 0, G_OPTION_ARG_FILENAME, &run.monitor_path, NULL, NULL },
        { "exec", 0, 0, G_OPTION_ARG_NONE, &run.exec, NULL, NULL },
        { "stats", 0, 0, G_OPTION_ARG_NONE, &run.stats, NULL, NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &run.json, NULL, NULL },
        { "check", 0, 0, G_OPTION_ARG_INT, &tcg.check, NULL, NULL },
        { "host", 0, 0, G_OPTION_ARG_STRING, &tcg.host, NULL, NULL },
        { "perf-map", 0, 0, G_OPTION_ARG_NONE, &tcg.perf_map, NULL, NULL },
        { "qemu", 0, 0, G_OPTION_ARG_NONE, &qemu, NULL, NULL },
        { 0 },
    };
    int code;

    if (!options_parse(&argc, &argv, own, &options)) {
        return EXIT_DESCRIPTION;
    }
    if (qemu && argc > 1 && strcmp(argv[1], "--") == 0) {
        first = 2;
    }
    if (qemu ? argc <= first : argc != 2) {
        fprintf(stderr, "lathe run: wants one FILE, or --qemu -- COMMAND; see `lathe help run`\n");
        return EXIT_DESCRIPTION;
    }
    if ((trace && !trace_enable(trace, &error)) || !tcg_configure(&tcg, &error)) {
        fprintf(stderr, "lathe run: %s\n", error->message);
        return EXIT_DESCRIPTION;
    }
    run.checked = tcg.check > 0;
    run.panic = panic_watch_new();
    run.spec = load(&run, argv + first, qemu ? argc - first : 0, &options, diag);
    if (build(&run, diag)) {
        print_diag(&run, diag);
        code = run_machine(&run);
    } else {
        print_diag(&run, diag);
        code = diag_exit_code(diag);
    }
    if (run.exec && !run.executed) {
        code = EXIT_OURS;
    }
    tear_down(&run);
    return code;
}

/* clang-format off */
VERB(run) = {
    .name = "run",
    .arguments = "FILE|--qemu -- qemu-system-... [--set PATH=VALUE]... [--profile NAME]...",
    .summary = "build the machine of a file and run it",
    .help = "The console is on standard input and output. On a terminal, Ctrl-A x ends the machine and\n"
            "Ctrl-A h lists the other keys.\n\n"
            "  --set PATH=VALUE   change one value, as in --set cpus.count=4\n"
            "  --profile NAME     apply one of the file's profiles\n"
            "  --path DIR         look for boards and schemas in DIR too\n"
            "  --qemu -- COMMAND  translate a command line of QEMU, as `lathe translate qemu` does, and run it\n"
            "  --monitor PATH     let `lathe monitor PATH` reach the machine there\n"
            "  --exec             exit with the guest's own code, 125 when it could not be run\n"
            "  --stats            print what the drives and the translator did, at the end\n"
            "  --json             with --stats: what the drives did, as an object of JSON on one line\n"
            "  --trace NAMES      write trace points to standard error (`--trace help` lists them)\n"
            "  --check N          run every Nth block in the interpreter too, and compare; guest time is 64 times\n"
            "                     slower\n"
            "  --host NAME        translate for x86_64 or run in the interpreter: interp\n"
            "  --perf-map         write /tmp/perf-PID.map for perf(1)\n\n"
            "Exit status: 0 the guest powered off, 1 it failed or panicked, 2 the description is wrong,\n"
            "3 the host cannot do what was asked. With --exec, the code the guest gave: by semihosting, or to the device\n"
            "that ends a test.\n",
    .run = run_run,
};
/* clang-format on */

#include "cli/loading.h"

#include <stdio.h>
#include <string.h>

#include "block/drive.h"
#include "cli/cli.h"
#include "core/boot-files.h"
#include "tcg/tcg.h"

ConfigOptions config_options(const MachineOptions *options)
{
    return (ConfigOptions){
        .sets = options->sets,
        .profiles = options->profiles,
        .paths = options->paths,
        .files_may_miss = options->files_may_miss,
    };
}

void bare_clear(Bare *bare)
{
    g_clear_pointer(&bare->machine, machine_free);
    g_clear_pointer(&bare->spec, machine_spec_free);
}

/* A file says what it is on a line of its own, mostly its first that is not a comment. */
static bool is_board(const char *name)
{
    char line[256];
    bool found = false, board = false;
    FILE *file;

    if (!g_file_test(name, G_FILE_TEST_IS_REGULAR)) { /* what comes through a pipe is a machine */
        return !g_str_has_suffix(name, ".yaml") && !g_file_test(name, G_FILE_TEST_EXISTS);
    }
    file = fopen(name, "re");
    while (file && !found && fgets(line, sizeof(line), file)) {
        const char *text = line + mark_text_start(line, strlen(line));

        found = g_str_has_prefix(text, "lathe:");
        board = found && g_str_has_prefix(text + 6 + strspn(text + 6, " \t"), "board/");
    }
    if (file) {
        fclose(file);
    }
    return board;
}

MachineSpec *load_named(const char *name, const MachineOptions *options, Diag *diag)
{
    const ConfigOptions config = config_options(options);

    return is_board(name) ? config_load_board(name, &config, diag)
                          : config_load(name, &config, diag);
}

bool bare_build(Bare *bare, const char *name, const MachineOptions *options, Diag *diag)
{
    MachineOptions looking = *options;

    looking.files_may_miss = true;
    bare->spec = load_named(name, &looking, diag);
    if (!bare->spec) {
        return false;
    }
    bare->machine = machine_new(bare->spec);
    machine_leave_slots_empty(bare->machine);
    return machine_build(bare->machine, tcg_cpu_create, diag);
}

bool images_are_there(const MachineSpec *spec, Diag *diag)
{
    bool all = true;

    for (unsigned i = 0; i < spec->drive_count; i++) {
        const DriveSpec *drive = &spec->drives[i];
        const char *name = drive->image.text;

        if (name && !drive->path.text) {
            all = diag_error(
                diag, DIAG_NOT_PINNED, drive->image.mark, "images.%s is not pinned", name);
            diag_hint(diag, "run `lathe lock %s` once, and commit what it writes", spec->file);
        } else if (name && !g_file_test(drive->path.text, G_FILE_TEST_EXISTS)) {
            all = diag_error(
                diag, DIAG_NOT_FETCHED, drive->image.mark, "images.%s is not in the cache", name);
            diag_hint(diag, "run `lathe fetch %s`", spec->file);
        }
    }
    return all;
}

/*
 * Opening is the only check of O_DIRECT, locks and formats that cannot be wrong. It is done with
 * threads, which promise the same: to give back a context of Linux AIO takes the kernel 30 ms.
 */
static void try_drives(const MachineSpec *spec, Diag *diag)
{
    g_autofree DriveSpec *trials = g_new(DriveSpec, spec->drive_count);
    unsigned count = 0;

    for (unsigned i = 0; i < spec->drive_count; i++) {
        const DriveSpec *drive = &spec->drives[i];

        if (drive->path.text || drive->size.set || drive->graph) {
            trials[count] = *drive;
            trials[count++].aio = AIO_THREADS;
        }
    }
    drive_try(trials, count, diag);
}

void try_files(const MachineSpec *spec, Diag *diag)
{
    boot_files_check(spec, diag);
    if (images_are_there(spec, diag)) {
        try_drives(spec, diag);
    }
}

int finish_with(const Diag *diag)
{
    diag_print(diag, stderr, diag_style_for(stderr));
    return diag_exit_code(diag);
}

const char *only_operand(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "lathe %s: wants one machine or board; see `lathe help %s`\n", argv[0],
            argv[0]);
        return NULL;
    }
    return argv[1];
}

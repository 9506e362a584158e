/* `lathe doctor [FILE...]`: can this host keep the promises? */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <libaio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/loading.h"
#include "config/cache.h"
#include "config/curl.h"

typedef enum Verdict { FINE, WARNING, BAD } Verdict;

enum { GIB = 30, MIB = 20, FEWEST_FILES = 1024 };

/* One line; the worst of them decides how the verb ends. */
static Verdict say(Verdict verdict, const char *format, ...) G_GNUC_PRINTF(2, 3);

static Verdict say(Verdict verdict, const char *format, ...)
{
    static const char *const words[] = { [FINE] = "ok", [WARNING] = "warn", [BAD] = "bad" };
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    printf("%-5s %s\n", words[verdict], text);
    return verdict;
}

/* ---- folders ---- */

/* 0, or why a file opened so cannot be written there. */
static int try_direct(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, ".lathe-doctor-XXXXXX", NULL);
    int made = g_mkstemp(path), fd, result;

    if (made < 0) {
        return errno;
    }
    fd = g_open(path, O_RDWR | O_DIRECT | O_CLOEXEC, 0);
    result = fd < 0 ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    close(made);
    g_unlink(path);
    return result;
}

static Verdict check_folder(const char *folder, const char *what)
{
    int error = try_direct(folder);

    if (error == 0) {
        return say(
            FINE, "%s %s: O_DIRECT works, cache none and directsync can be promised", what, folder);
    }
    if (error == EINVAL) {
        return say(WARNING, "%s %s: no O_DIRECT; drives there need writeback or writethrough", what,
            folder);
    }
    return say(WARNING, "%s %s: %s", what, folder, g_strerror(error));
}

static Verdict check_here(void)
{
    g_autofree char *here = g_get_current_dir();

    return check_folder(here, "this folder,");
}

static Verdict check_scratch(void)
{
    return check_folder(g_get_tmp_dir(), "scratch overlays in");
}

static Verdict check_space(void)
{
    struct statvfs info;
    uint64_t space;

    if (statvfs(g_get_tmp_dir(), &info) != 0) {
        return say(WARNING, "%s: %s", g_get_tmp_dir(), g_strerror(errno));
    }
    space = (uint64_t)info.f_bavail * info.f_frsize;
    return say(space >> GIB ? FINE : WARNING, "%.1fGiB free in %s for scratch overlays",
        (double)space / (1 << GIB), g_get_tmp_dir());
}

static Verdict check_cache(void)
{
    g_autofree char *folder = g_build_filename(g_get_user_cache_dir(), "lathe", "images", NULL);

    if (g_mkdir_with_parents(folder, 0777) != 0 || g_access(folder, W_OK) != 0) {
        return say(BAD, "the image cache %s cannot be written: %s", folder, g_strerror(errno));
    }
    return say(FINE, "the image cache is %s", folder);
}

/* ---- the kernel's part ---- */

static Verdict check_aio(void)
{
    io_context_t context = NULL;
    int result = io_setup(1, &context);

    if (result < 0) {
        return say(WARNING, "aio native: the kernel refuses Linux AIO (%s); use threads",
            g_strerror(-result));
    }
    io_destroy(context);
    return say(FINE, "aio native: Linux AIO works");
}

/* As the translator maps its code: once to write, once to run. */
static Verdict check_code_memory(void)
{
    int fd = memfd_create("lathe-doctor", MFD_CLOEXEC);
    void *code = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, 4096) == 0) {
        code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (code == MAP_FAILED) {
        return say(BAD, "the host does not let us make code: %s; see `lathe run --host interp`",
            g_strerror(errno));
    }
    munmap(code, 4096);
    return say(FINE, "the translator may make code; no root and no /dev/kvm needed");
}

static Verdict check_files(void)
{
    struct rlimit limit = { 0 };

    getrlimit(RLIMIT_NOFILE, &limit);
    return say(limit.rlim_cur >= FEWEST_FILES ? FINE : WARNING, "%llu open files are allowed",
        (unsigned long long)limit.rlim_cur);
}

/* What /proc/meminfo calls available, in bytes. */
static uint64_t available_memory(void)
{
    g_autofree char *text = NULL;
    const char *line = NULL;

    if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL)) {
        line = strstr(text, "MemAvailable:");
    }
    return line ? g_ascii_strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024 : 0;
}

static Verdict check_memory(void)
{
    uint64_t memory = available_memory();

    return say(memory >> (MIB + 8) ? FINE : WARNING, "%.1fGiB of memory free, %u host CPUs",
        (double)memory / (1 << GIB), g_get_num_processors());
}

static Verdict check_curl(void)
{
#ifdef HAVE_LIBCURL
    g_autoptr(GError) error = NULL;

    return curl_load(&error) ? say(FINE, "libcurl is there to fetch images")
                             : say(WARNING, "%s", error->message);
#else
    return say(WARNING, "built without libcurl: images with a URL cannot be fetched");
#endif
}

static Verdict (*const checks[])(void) = {
    check_code_memory,
    check_memory,
    check_here,
    check_scratch,
    check_space,
    check_aio,
    check_files,
    check_cache,
    check_curl,
};

/* ---- a machine's promises ---- */

static Verdict check_machine_memory(const MachineSpec *spec)
{
    uint64_t wanted = 0, there = available_memory();

    for (unsigned i = 0; i < spec->memory_count; i++) {
        wanted += spec->memory[i].size;
    }
    if (there && wanted > there) {
        return say(WARNING, "%s wants %.1fGiB of memory, %.1fGiB are free", spec->file,
            (double)wanted / (1 << GIB), (double)there / (1 << GIB));
    }
    return say(FINE, "%s: memory for %u of it at a time", spec->file,
        wanted ? (unsigned)MIN(there / wanted, 999) : 999);
}

static Verdict check_machine_cpus(const MachineSpec *spec)
{
    unsigned count = machine_spec_cpu_count(spec), host = g_get_num_processors();

    return count > host
        ? say(WARNING, "%s has %u CPUs, the host %u: they take turns", spec->file, count, host)
        : say(FINE, "%s: a host CPU for each of its %u", spec->file, count);
}

static Verdict check_machine(const char *file, const MachineOptions *options)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec) spec = load_named(file, options, diag);
    unsigned drives = spec ? spec->drive_count : 0;
    Verdict worst = FINE, next;

    if (spec) {
        next = check_machine_memory(spec);
        worst = MAX(worst, next);
        next = check_machine_cpus(spec);
        worst = MAX(worst, next);
        try_files(spec, diag);
    }
    if (diag_errors(diag)) {
        diag_print(diag, stdout, diag_style_for(stdout));
        return say(BAD, "%s cannot run here as it is", file);
    }
    next = say(FINE, "%s: its %u drives keep what they promise", file, drives);
    return MAX(worst, next);
}

/* ---- the verb ---- */

static int doctor_run(int argc, char **argv)
{
    g_auto(MachineOptions) options = { 0 };
    Verdict worst = FINE;

    if (!options_parse(&argc, &argv, NULL, &options)) {
        return EXIT_DESCRIPTION;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
        Verdict next = checks[i]();

        worst = MAX(worst, next);
    }
    for (int i = 1; i < argc; i++) {
        Verdict next = check_machine(argv[i], &options);

        worst = MAX(worst, next);
    }
    return worst == BAD ? EXIT_HOST : EXIT_FINE;
}

VERB(doctor) = {
    .name = "doctor",
    .arguments = "[FILE]... [--set PATH=VALUE]... [--profile NAME]... [--path DIR]...",
    .summary = "can this host keep the promises?",
    .help = "Tries what machines need from a host: executable memory, O_DIRECT, Linux AIO, free "
            "memory\n"
            "and space, the image cache. With a machine, opens its drives as `lathe run` would.\n"
            "\n"
            "  --set PATH=VALUE   changes a value\n"
            "  --profile NAME     merges what the file has under profiles.NAME\n"
            "  --path DIR         another folder with machines/ and schemas/\n"
            "\n"
            "Exit status: 0 it can, perhaps with warnings; 3 it cannot.\n",
    .run = doctor_run,
};

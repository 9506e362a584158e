/*
 * `lathe img crash-test`: would the power have failed at any point of a log of writes, would a
 * checker be content with what the disk holds?
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "block/cache.h"
#include "block/engine.h"
#include "block/file-copy.h"
#include "cli/img/checker.h"
#include "cli/img/crash-image.h"
#include "cli/img/img.h"
#include "cli/img/json.h"
#include "cli/img/litter.h"

enum { TIMEOUT_S = 60, JOBS_MOST = 16, COUNT_MOST = 100 * 1000 * 1000, LINE_MOST = 200 };

typedef struct Failure {
    CrashPoint point;
    int status; /* of checker_run */
    char *line; /* the first one that it printed */
} Failure;

typedef struct Crash {
    Img *img;
    PowerLog *log;
    Checker checker;
    GArray *points; /* of CrashPoint, in order */
    uint32_t seed;
    uint64_t size;
    int base;
    char *folder;

    unsigned jobs; /* that have not ended */
    Coroutine *waiter;
    unsigned done;
    int result;       /* the first error of ours */
    GArray *failures; /* of Failure */
    ImgProgress progress;
} Crash;

/* A worker: some of the points, in order. */
typedef struct Job {
    Crash *crash;
    CrashImage image;
    char *said;
    unsigned next, end;
    int result, status; /* of the last point */
    EngineOp op;
} Job;

/* ---- one crash, on a thread ---- */

static int64_t job_begin(void *data)
{
    Job *job = data;

    job->result = crash_image_begin(&job->image, job->crash->folder);
    return 0;
}

static int64_t job_try(void *data)
{
    Job *job = data;
    const CrashPoint *point = &g_array_index(job->crash->points, CrashPoint, job->next);

    job->result = crash_image_make(&job->image, point);
    if (job->result == 0) {
        job->status = checker_run(&job->crash->checker, job->image.path, job->said);
        job->result = job->status < 0 && job->status != -ETIMEDOUT ? job->status : 0;
    }
    return 0;
}

/* ---- what came of it ---- */

static char *first_line(const char *path)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return g_strdup("");
    }
    return g_utf8_make_valid(text, MIN(strcspn(text, "\n"), LINE_MOST));
}

/* The image stays in the folder of --keep. */
static void keep_image(const Job *job, const CrashPoint *point)
{
    g_autofree char *name = g_strdup_printf(
        "crash-%" PRIu64 "-%" PRIu64, point->point, point->state);
    g_autofree char *path = g_build_filename(job->crash->img->keep_folder, name, NULL);
    int from = open(job->image.path, O_RDONLY | O_CLOEXEC);
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int result = from < 0 || to < 0 ? -errno : file_copy_whole(from, to);

    if (from >= 0) {
        close(from);
    }
    if (to >= 0) {
        close(to);
    }
    if (result < 0) {
        img_fail_with(job->crash->img, EXIT_HOST, "`%s`: %s", path, g_strerror(-result));
    }
}

static void note(Job *job)
{
    Crash *c = job->crash;
    const CrashPoint *point = &g_array_index(c->points, CrashPoint, job->next);

    c->result = c->result ? c->result : job->result;
    if (job->result == 0 && job->status != 0) {
        Failure failure = { *point, job->status, first_line(job->said) };

        g_array_append_val(c->failures, failure);
        if (c->img->keep_folder) {
            keep_image(job, point);
        }
    }
    img_progress(&c->progress, ++c->done);
}

static void job_call(Job *job, int64_t (*call)(void *data))
{
    g_autoptr(Engine) engine = engine_get(AIO_THREADS, job->crash->img->loop, NULL);

    job->op = (EngineOp){ .kind = ENGINE_CALL, .call = call, .data = job };
    engine_run(engine, &job->op);
}

static void job_main(void *data)
{
    Job *job = data;
    Crash *c = job->crash;

    litter_add(job->image.path);
    litter_add(job->said);
    job_call(job, job_begin);
    c->result = c->result ? c->result : job->result;
    for (; job->next < job->end && c->result == 0; job->next++) {
        job_call(job, job_try);
        note(job);
    }
    litter_keep(job->said);
    litter_keep(job->image.path);
    unlink(job->said);
    g_free(job->said);
    crash_image_end(&job->image);
    if (--c->jobs == 0 && c->waiter) {
        coroutine_enter(c->waiter);
    }
}

static void run_jobs(Crash *c, unsigned count)
{
    g_autofree Job *jobs = g_new0(Job, count);

    c->jobs = count;
    for (unsigned i = 0; i < count; i++) {
        jobs[i] = (Job){ .crash = c,
            .image = { .log = c->log,
                .seed = c->seed,
                .size = c->size,
                .base = c->base,
                .path = g_strdup_printf("%s/image-%u", c->folder, i),
                .settled = -1 },
            .said = g_strdup_printf("%s/said-%u", c->folder, i),
            .next = (uint64_t)c->points->len * i / count,
            .end = (uint64_t)c->points->len * (i + 1) / count };
        coroutine_enter(coroutine_new(job_main, &jobs[i]));
    }
    if (c->jobs > 0) {
        c->waiter = coroutine_self();
        coroutine_yield();
    }
}

/* ---- report ---- */

static int by_point(const void *one, const void *other)
{
    const CrashPoint *a = one, *b = other;

    return a->point != b->point ? (a->point > b->point) - (a->point < b->point)
                                : (a->state > b->state) - (a->state < b->state);
}

static const char *how(int status, char *buffer, size_t size)
{
    if (status == -ETIMEDOUT) {
        return "the checker took too long";
    }
    if (status > 128 && status < 192) {
        g_snprintf(buffer, size, "the checker died of signal %d (%s)", status - 128,
            g_strsignal(status - 128));
    } else {
        g_snprintf(buffer, size, "the checker gave %d", status & 255);
    }
    return buffer;
}

static void print_json(const Crash *c)
{
    g_autoptr(GString) out = g_string_new("{");

    json_add_text(out, "log", c->img->argv[1]);
    json_add_number(out, "entries", c->log->points);
    json_add_number(out, "changes", c->log->changes->len);
    json_add_number(out, "seed", c->seed);
    json_add_number(out, "images", c->done);
    json_add_number(out, "failed", c->failures->len);
    json_add_name(out, "failures");
    for (unsigned i = 0; i < c->failures->len; i++) {
        const Failure *f = &g_array_index(c->failures, Failure, i);
        char text[80];

        g_string_append(out, i == 0 ? "[{" : ", {");
        json_add_number(out, "point", f->point.point);
        json_add_number(out, "state", f->point.state);
        json_add_text(out, "reason", how(f->status, text, sizeof(text)));
        json_add_text(out, "said", f->line);
        g_string_append_c(out, '}');
    }
    puts(g_string_append(out, c->failures->len ? "]}" : "[]}")->str);
}

static void print_text(const Crash *c)
{
    for (unsigned i = 0; i < c->failures->len; i++) {
        const Failure *f = &g_array_index(c->failures, Failure, i);
        char text[80];

        printf("point %" PRIu64 ":%" PRIu64 ": %s%s%s\n", f->point.point, f->point.state,
            how(f->status, text, sizeof(text)), *f->line ? ": " : "", f->line);
    }
    printf("%u crashes at %" PRIu64 " entries of a log, seed %" PRIu32 ": ", c->done,
        c->log->points, c->seed);
    if (c->failures->len == 0) {
        puts("all images are whole");
    } else {
        printf("%u images are not whole\n", c->failures->len);
    }
    if (c->failures->len > 0 && !c->img->keep_folder) {
        printf(
            "--keep FOLDER keeps those images, --point=P:S with the same seed makes one again\n");
    }
}

static void report(Crash *c)
{
    img_progress_end(&c->progress);
    g_array_sort(c->failures, by_point);
    if (c->result < 0) {
        img_fail_with(c->img, EXIT_HOST, "%s", g_strerror(-c->result));
        return;
    }
    if (c->img->json) {
        print_json(c);
    } else if (!c->img->quiet || c->failures->len > 0) {
        print_text(c);
    }
    if (c->failures->len > 0 && c->img->exit_code == EXIT_FINE) {
        c->img->exit_code = EXIT_DIFFERENT;
    }
}

/* ---- what is asked for ---- */

/* "17" or "17:3" */
static bool choose_one(Crash *c)
{
    g_auto(GStrv) parts = g_strsplit(c->img->point, ":", 2);
    CrashPoint point = { 0 };

    if (!parts[0] ||
        !g_ascii_string_to_unsigned(parts[0], 10, 0, c->log->points, &point.point, NULL) ||
        (parts[1] &&
            !g_ascii_string_to_unsigned(parts[1], 10, 0, UINT32_MAX, &point.state, NULL))) {
        return img_fail_with(c->img, EXIT_DESCRIPTION,
            "a point is a number up to %" PRIu64 ", and perhaps a colon and another number",
            c->log->points);
    }
    g_array_append_val(c->points, point);
    return true;
}

/* All of them once, or as many as were asked for, chosen by the seed. */
static bool choose_points(Crash *c)
{
    GRand *rand = g_rand_new_with_seed(c->seed);
    uint64_t all = c->log->points + 1;
    uint64_t count = c->img->count ? (uint64_t)c->img->count : all;

    for (uint64_t i = 0; i < count; i++) {
        CrashPoint point = { .point = i };

        if (c->img->count) {
            point = (CrashPoint){ g_rand_double(rand) * all, i };
        }
        g_array_append_val(c->points, point);
    }
    g_rand_free(rand);
    g_array_sort(c->points, by_point);
    return true;
}

static bool read_numbers(Crash *c)
{
    Img *img = c->img;
    GError *error = NULL;

    if (img->size && !block_parse_size(img->size, &c->size, &error)) {
        return img_fail(img, EXIT_DESCRIPTION, error);
    }
    if (!checker_accept(&c->checker, img->accept ? img->accept : "0")) {
        return img_fail_with(
            img, EXIT_DESCRIPTION, "--accept wants exit codes of the checker, such as 0,3");
    }
    if (img->count < 0 || img->count > COUNT_MOST || img->timeout < 0 ||
        img->timeout > G_MAXINT / 1000 || img->jobs < 0 || img->jobs > JOBS_MOST) {
        return img_fail_with(
            img, EXIT_DESCRIPTION, "at most %d crashes, by %d jobs at once", COUNT_MOST, JOBS_MOST);
    }
    c->seed = img->seed;
    c->checker.timeout_ms = (img->timeout ? img->timeout : TIMEOUT_S) * 1000;
    c->progress = (ImgProgress){ .show = img->progress };
    return true;
}

static bool find_command(Crash *c)
{
    char **command = c->img->argv + 2;

    command += *command && strcmp(*command, "--") == 0;
    c->checker.command = command;
    return *command ||
        img_fail_with(c->img, EXIT_DESCRIPTION,
            "say after -- what checks an image, such as "
            "`-- lathe img check {}`");
}

static bool prepare(Crash *c)
{
    DriveCache cache;
    GError *error = NULL;

    if (!find_command(c) || !read_numbers(c)) {
        return false;
    }
    if (!cache_from_word(c->img->cache ? c->img->cache : "writeback", &cache)) {
        return img_fail_with(
            c->img, EXIT_DESCRIPTION, "there is no cache mode `%s`", c->img->cache);
    }
    c->log = power_log_open(c->img->argv[1], &cache, &error);
    if (!c->log) {
        return img_fail(c->img, EXIT_HOST, error);
    }
    c->base = c->img->base ? open(c->img->base, O_RDONLY | O_CLOEXEC) : -1;
    if (c->img->base && c->base < 0) {
        return img_fail_with(c->img, EXIT_HOST, "`%s`: %s", c->img->base, g_strerror(errno));
    }
    return c->img->point ? choose_one(c) : choose_points(c);
}

static char *make_folder(void)
{
    const char *place = g_getenv("TMPDIR");
    char *path = g_build_filename(place && *place ? place : "/var/tmp", "lathe-crash-XXXXXX", NULL);

    if (g_mkdtemp(path)) {
        return path;
    }
    g_free(path);
    return NULL;
}

static void crash(Crash *c)
{
    unsigned jobs = c->img->jobs ? (unsigned)c->img->jobs : MIN(g_get_num_processors(), JOBS_MOST);

    c->folder = make_folder();
    if (!c->folder) {
        img_fail_with(c->img, EXIT_HOST, "no folder for images: %s", g_strerror(errno));
        return;
    }
    c->progress.total = c->points->len;
    litter_add(c->folder);
    run_jobs(c, MIN(jobs, MAX(c->points->len, 1)));
    litter_keep(c->folder);
    rmdir(c->folder);
    report(c);
}

static void failure_clear(void *data)
{
    g_free(((Failure *)data)->line);
}

static void run(Img *img)
{
    Crash c = { .img = img, .base = -1 };

    c.points = g_array_new(false, false, sizeof(CrashPoint));
    c.failures = g_array_new(false, false, sizeof(Failure));
    g_array_set_clear_func(c.failures, failure_clear);
    if (prepare(&c)) {
        crash(&c);
    }
    if (c.base >= 0) {
        close(c.base);
    }
    power_log_free(c.log);
    g_array_unref(c.points);
    g_array_unref(c.failures);
    g_free(c.folder);
}

const ImgCommand img_crash_test = {
    .name = "crash-test",
    .arguments = "LOG -- COMMAND [ARGUMENT]...",
    .summary = "runs a checker on what a disk may hold after a loss of power",
    .takes = "t~!Jqp0123456",
    .least = 1,
    .most = 1000,
    .run = run,
};

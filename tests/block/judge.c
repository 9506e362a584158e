#include "tests/block/judge.h"

#include "tests/test.h"
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "block/block.h"

enum { KIB = 1024, MIB = 1024 * KIB, DISK = JUDGE_DISK };

bool judge_is_there(void)
{
    g_autofree char *found = g_find_program_in_path("qemu-img");

    return found != NULL;
}

void judge_run(const char *folder, const char *fmt, ...)
{
    g_autofree char *command = NULL, *line = NULL, *said = NULL;
    va_list args;
    int status = -1;

    va_start(args, fmt);
    command = g_strdup_vprintf(fmt, args);
    va_end(args);
    line = g_strdup_printf("sh -c 'cd %s && %s 2>&1'", folder, command);
    assert_true(g_spawn_command_line_sync(line, &said, NULL, &status, NULL));
    if (status != 0) {
        fail_msg("%s: %s", command, said);
    }
}

char *judge_folder(void)
{
    char *folder = g_dir_make_tmp("lathe-image-XXXXXX", NULL);

    assert_non_null(folder);
    return folder;
}

void judge_remove(char *folder)
{
    judge_run("/", "rm -rf %s", folder);
    g_free(folder);
}

static void random_requests(Drive *drive, uint8_t *model, unsigned count, unsigned seed)
{
    g_autofree uint8_t *buffer = g_malloc(1 * MIB);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    for (unsigned i = 0; i < count; i++) {
        uint32_t most = 1u << g_rand_int_range(rand, 9, 20);
        uint32_t length = g_rand_int_range(rand, 1, most / 512 + 1) * 512;
        uint32_t at = g_rand_int_range(rand, 0, (DISK - length) / 512 + 1) * 512;

        switch (g_rand_int_range(rand, 0, 6)) {
        case 0:
        case 1:
            for (uint32_t b = 0; b < length; b++) {
                buffer[b] = model[at + b] = i + b / 512;
            }
            assert_int_equal(disk_do(drive, BLOCK_WRITE, at, buffer, length), 0);
            break;
        case 2:
            memset(model + at, 0, length);
            assert_int_equal(disk_do(drive, BLOCK_ZERO, at, NULL, length), 0);
            break;
        case 3: assert_int_equal(disk_do(drive, BLOCK_FLUSH, 0, NULL, 0), 0); break;
        default:
            assert_int_equal(disk_do(drive, BLOCK_READ, at, buffer, length), 0);
            assert_memory_equal(buffer, model + at, length);
        }
    }
}

Drive *judge_open(const char *path, const char *format, const char *cache)
{
    DriveSpec spec = disk_spec(path, cache, AIO_THREADS);

    spec.format.text = format;
    return disk_open(&spec);
}

static bool has_check(const char *format)
{
    static const char *const names[] = { "qcow2", "vdi", "vmdk", "vhdx", "qed", "parallels", NULL };

    return g_strv_contains(names, format);
}

void judge_work(const char *folder, const char *format, const char *cache, unsigned seed)
{
    g_autofree char *name = g_strdup_printf("disk.%s", format);
    g_autofree char *image = g_build_filename(folder, name, NULL);
    g_autofree char *base = g_build_filename(folder, "base.raw", NULL);
    g_autofree char *result = g_build_filename(folder, "result.raw", NULL);
    g_autofree char *model = NULL;
    Drive *drive;
    gsize size;

    assert_true(g_file_get_contents(base, &model, &size, NULL));
    assert_int_equal(size, DISK);
    drive = judge_open(image, format, cache);
    assert_int_equal(drive_length(drive), DISK);
    random_requests(drive, (uint8_t *)model, 300, seed);
    disk_close(drive);

    assert_true(g_file_set_contents(result, model, size, NULL));
    if (has_check(format)) {
        judge_run(folder, "qemu-img check -f %s %s", format, name);
    }
    judge_run(folder, "qemu-img compare -f %s %s -F raw result.raw", format, name);
}

void judge_base(const char *folder, bool empty)
{
    g_autofree char *base = g_build_filename(folder, "base.raw", NULL);
    g_autofree uint8_t *bytes = g_malloc0(DISK);

    for (uint32_t at = 0; at < DISK && !empty; at++) {
        bytes[at] = at / (300 * KIB) % 3 ? disk_pattern(at) : 0;
    }
    assert_true(g_file_set_contents(base, (char *)bytes, DISK, NULL));
}

void judge_work_again(const char *folder, const char *format, unsigned seed)
{
    judge_run(folder, "mv result.raw base.raw");
    judge_work(folder, format, "writeback", seed);
}

typedef struct Creation {
    IoLoop *loop;
    const char *path, *format;
    BlockCreate create;
} Creation;

static void create_main(void *data)
{
    Creation *c = data;
    g_autoptr(GError) error = NULL;

    if (!block_create_image(c->loop, c->format, c->path, &c->create, &error)) {
        fail_msg("%s", error->message);
    }
}

void judge_create(const char *path, const char *format, const char *options, uint64_t size)
{
    g_autoptr(IoLoop) loop = io_loop_new(NULL);
    g_autoptr(GHashTable) table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    Creation creation = { loop, path, format, { .size = size, .options = table } };

    assert_true(!*options || block_parse_options(options, table, NULL));
    io_loop_run(loop, create_main, &creation);
}

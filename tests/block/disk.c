#include "tests/block/disk.h"

#include "tests/test.h"
#include <string.h>
#include <unistd.h>

#include "block/cache.h"
#include "core/loop.h"

uint8_t disk_pattern(uint64_t at)
{
    return at * 7 + (at >> 9) * 13 + 1;
}

char *disk_image(const char *name, uint64_t size)
{
    const char *build = g_getenv("BUILD");
    char *path = g_strdup_printf("%s/%s-%d.img", build ? build : "/var/tmp", name, getpid());
    g_autofree uint8_t *bytes = g_malloc(size + 1);

    for (uint64_t at = 0; at < size; at++) {
        bytes[at] = disk_pattern(at);
    }
    assert_true(g_file_set_contents(path, (char *)bytes, size, NULL));
    return path;
}

void disk_remove(char *path)
{
    unlink(path);
    g_free(path);
}

DriveSpec disk_spec(const char *path, const char *cache, DriveAio aio)
{
    DriveSpec spec = { .id = "disk",
        .path = { path, { .file = "m.yaml", .line = 2 } },
        .format = { .text = "raw" },
        .aio = aio,
        .discard = true };

    assert_true(cache_from_word(cache, &spec.cache));
    return spec;
}

Drive *disk_open(const DriveSpec *spec)
{
    g_autoptr(Diag) diag = diag_new();
    Drive *drive = drive_open(spec, diag);

    if (!drive) {
        diag_print(diag, stderr, DIAG_SHORT);
    }
    assert_non_null(drive);
    return drive;
}

char *disk_refusal(const DriveSpec *spec)
{
    g_autoptr(Diag) diag = diag_new();

    assert_null(drive_open(spec, diag));
    return diag_to_string(diag, DIAG_SHORT);
}

void disk_close(Drive *drive)
{
    machine_lock();
    drive_close(drive);
    machine_unlock();
}

static void request_over(DriveRequest *request, int result)
{
    request->done = NULL;
}

int disk_do(Drive *drive, BlockOp op, uint64_t at, void *memory, uint64_t length)
{
    struct iovec piece = { memory, length };
    DriveRequest request = { .io = { op, 0, at, length, { &piece, 1, 0 } }, .done = request_over };

    drive_submit(drive, &request);
    machine_lock();
    drive_drain(drive);
    machine_unlock();
    assert_null(request.done);
    return request.result;
}

/* What the protocol `file` makes of files that others change beneath it. */
#include "tests/test.h"

#include <dlfcn.h>
#include <unistd.h>

#include "block/block.h"
#include "tests/block/disk.h"

enum { DISK = 1 << 20 };

static bool punches; /* a hole appears at each place where data has just been found */

/* Stands before the library's function of this name. */
off_t lseek(int fd, off_t offset, int whence)
{
    static off_t (*seek)(int fd, off_t offset, int whence);

    if (!seek) {
        seek = dlsym(RTLD_NEXT, "lseek");
    }
    return punches && whence == SEEK_HOLE ? offset : seek(fd, offset, whence);
}

typedef struct Search {
    IoLoop *loop;
    const char *path;
    Extent found;
    int result;
} Search;

static void search_main(void *data)
{
    Search *s = data;
    BlockOptions options = { .path = s->path, .read_only = true };
    BlockNode *node = block_open_image(s->loop, "raw", &options, NULL);
    BlockNode *holder = node;

    assert_non_null(node);
    s->result = block_locate(&holder, 4096, DISK - 4096, &s->found);
    block_unref(node);
}

/* A piece of no length would be looked for again and again. */
static void data_that_becomes_a_hole_has_a_length(void **state)
{
    char *image = disk_image("file", DISK);
    IoLoop *loop = io_loop_new(NULL);
    Search search = { .loop = loop, .path = image };

    punches = true;
    io_loop_run(loop, search_main, &search);
    punches = false;

    assert_int_equal(search.result, 0);
    assert_int_equal(search.found.kind, EXTENT_DATA);
    assert_int_equal(search.found.length, DISK - 4096);
    io_loop_free(loop);
    disk_remove(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_that_becomes_a_hole_has_a_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

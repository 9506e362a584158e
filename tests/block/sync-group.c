#include "tests/test.h"

#include <errno.h>

#include "block/sync-group.h"

typedef struct Host {
    SyncGroup group;
    unsigned begun, ended; /* syncs */
    unsigned served;
    int result;
    Coroutine *syncing;
} Host;

static int sync_slowly(void *data)
{
    Host *host = data;

    host->begun++;
    host->syncing = coroutine_self();
    coroutine_yield();
    host->ended++;
    return host->result;
}

static void writer(void *data)
{
    Host *host = data;
    unsigned begun_before = host->begun;

    assert_int_equal(sync_group_run(&host->group, sync_slowly, host), host->result);
    assert_true(host->ended > begun_before); /* one that began after this writer asked */
    host->served++;
}

static void start(Host *host, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        coroutine_enter(coroutine_new(writer, host));
    }
}

static void who_waits_when_a_sync_begins_is_served_by_it(void **state)
{
    Host host = { 0 };

    start(&host, 1);
    start(&host, 5); /* too late for the first sync */
    coroutine_enter(host.syncing);
    assert_int_equal(host.served, 1);
    assert_int_equal(host.begun, 2);

    start(&host, 3);
    coroutine_enter(host.syncing);
    assert_int_equal(host.served, 6);
    assert_int_equal(host.begun, 3);

    coroutine_enter(host.syncing);
    assert_int_equal(host.served, 9);
    assert_int_equal(host.begun, 3);
    assert_false(host.group.running);
}

static void a_failure_is_told_to_all_it_concerns(void **state)
{
    Host host = { .result = -EIO };

    start(&host, 4);
    coroutine_enter(host.syncing);
    coroutine_enter(host.syncing);
    assert_int_equal(host.served, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_when_a_sync_begins_is_served_by_it),
        cmocka_unit_test(a_failure_is_told_to_all_it_concerns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

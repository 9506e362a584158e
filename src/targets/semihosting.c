#include "targets/semihosting.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "core/loop.h"
#include "core/machine.h"
#include "core/semihosting.h"
#include "tcg/exec.h"
#include "tcg/tlb.h"

/* Arm 100863, 2.2. */
enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITEC = 0x03,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_READC = 0x07,
    SYS_ISERROR = 0x08,
    SYS_ISTTY = 0x09,
    SYS_SEEK = 0x0a,
    SYS_FLEN = 0x0c,
    SYS_CLOCK = 0x10,
    SYS_TIME = 0x11,
    SYS_ERRNO = 0x13,
    SYS_GET_CMDLINE = 0x15,
    SYS_HEAPINFO = 0x16,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    SYS_ELAPSED = 0x30,
    SYS_TICKFREQ = 0x31,
};

enum {
    EXIT_APPLICATION = 0x20026, /* ADP_Stopped_ApplicationExit */
    MAX_BYTES = 1 << 16,        /* of one call: a guest may ask for more, and gets less */
    WAIT_US = 1000,
};

/* Handles. The last one is a file that says what there is here (2.2.1). */
enum { HANDLE_INPUT = 1, HANDLE_OUTPUT, HANDLE_ERROR, HANDLE_FEATURES };

/* SHFB, then: SYS_EXIT_EXTENDED is there, and output and errors are told apart. */
static const uint8_t feature_file[] = { 'S', 'H', 'F', 'B', 3 };

#define FAILED UINT64_MAX

typedef struct Doing {
    CpuEnv *env;
    Machine *machine;
    const SemihostingCall *call;
    uint64_t fields[4]; /* of the parameter block */
    bool again;         /* nothing was done: the host is not ready */
} Doing;

bool semihosting_is_on(const CpuEnv *env)
{
    const CpuClusterSpec *spec = cpu_device(env)->spec;

    return spec && spec->semihosting;
}

static uint64_t fail(Doing *d, int error)
{
    cpu_device(d->env)->semihosting.error = error;
    return FAILED;
}

/* ---- guest memory ----------------------------------------------------------------------------- */

static bool read_fields(Doing *d, unsigned count)
{
    unsigned op = d->call->word == 8 ? MEM_64 : MEM_32;

    for (unsigned i = 0; i < count; i++) {
        if (!cpu_load(d->env, d->call->parameter + i * d->call->word, op, &d->fields[i])) {
            return false;
        }
    }
    return true;
}

static bool write_field(Doing *d, uint64_t at, unsigned index, uint64_t value)
{
    return cpu_store(
        d->env, at + index * d->call->word, d->call->word == 8 ? MEM_64 : MEM_32, value);
}

/* False: it raised. Stops behind a byte that is 0 when that is asked for. */
static bool copy_in(Doing *d, uint64_t at, size_t length, bool to_zero, GByteArray *out)
{
    for (size_t i = 0; i < length; i++) {
        uint64_t value;
        uint8_t byte;

        if (!cpu_load(d->env, at + i, MEM_8, &value)) {
            return false;
        }
        if (to_zero && value == 0) {
            break;
        }
        byte = (uint8_t)value;
        g_byte_array_append(out, &byte, 1);
    }
    return true;
}

static bool copy_out(Doing *d, uint64_t at, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!cpu_store(d->env, at + i, MEM_8, ((const uint8_t *)bytes)[i])) {
            return false;
        }
    }
    return true;
}

/* ---- the console ------------------------------------------------------------------------------ */

static size_t to_console(Doing *d, const void *bytes, size_t length)
{
    bool taken = machine_lock_ensure();
    size_t done = machine_semihosting_write(d->machine, bytes, length);

    machine_lock_restore(taken);
    return done;
}

/* What the host does not take yet is written when the call is made again. */
static void write_all(Doing *d, const uint8_t *bytes, size_t length)
{
    size_t *done = &cpu_device(d->env)->semihosting.written;

    *done = MIN(*done, length);
    *done += to_console(d, bytes + *done, length - *done);
    if (*done < length) {
        d->again = true;
        g_usleep(WAIT_US);
    } else {
        *done = 0;
    }
}

static uint64_t do_write0(Doing *d)
{
    g_autoptr(GByteArray) text = g_byte_array_new();

    if (copy_in(d, d->call->parameter, MAX_BYTES, true, text)) {
        write_all(d, text->data, text->len);
    }
    return 0;
}

static uint64_t do_writec(Doing *d)
{
    uint64_t value;

    if (cpu_load(d->env, d->call->parameter, MEM_8, &value)) {
        write_all(d, &(uint8_t){ (uint8_t)value }, 1);
    }
    return 0;
}

/* Gives how many bytes were not written. */
static uint64_t do_write(Doing *d)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    uint64_t length = d->fields[2];

    if (d->fields[0] != HANDLE_OUTPUT && d->fields[0] != HANDLE_ERROR) {
        fail(d, EBADF);
        return length;
    }
    if (!copy_in(d, d->fields[1], MIN(length, MAX_BYTES), false, bytes)) {
        return 0;
    }
    write_all(d, bytes->data, bytes->len);
    return length - bytes->len;
}

static size_t from_console(Doing *d, void *bytes, size_t room)
{
    bool taken = machine_lock_ensure();
    size_t length = machine_semihosting_read(d->machine, bytes, room);

    machine_lock_restore(taken);
    if (length == 0) {
        d->again = true;
        g_usleep(WAIT_US);
    }
    return length;
}

static uint64_t do_readc(Doing *d)
{
    uint8_t byte = 0;

    from_console(d, &byte, 1);
    return byte;
}

static size_t read_features(Doing *d, uint8_t *bytes, size_t room)
{
    uint64_t *at = &cpu_device(d->env)->semihosting.position;
    size_t length = MIN(room, sizeof(feature_file) - *at);

    memcpy(bytes, feature_file + *at, length);
    *at += length;
    return length;
}

/* Gives how many bytes were not read; it waits for one at least. */
static uint64_t do_read(Doing *d)
{
    uint64_t length = d->fields[2];
    uint8_t bytes[256];
    size_t got;

    if (length == 0) {
        return 0;
    }
    switch (d->fields[0]) {
    case HANDLE_INPUT: got = from_console(d, bytes, MIN(length, sizeof(bytes))); break;
    case HANDLE_FEATURES: got = read_features(d, bytes, MIN(length, sizeof(bytes))); break;
    default: fail(d, EBADF); return length;
    }
    copy_out(d, d->fields[1], bytes, got);
    return length - got;
}

/* ---- handles ---------------------------------------------------------------------------------- */

static bool is_handle(uint64_t handle)
{
    return handle >= HANDLE_INPUT && handle <= HANDLE_FEATURES;
}

/* ":tt" to be read, written, appended to: input, output, errors; no file of the host. */
static uint64_t do_open(Doing *d)
{
    g_autoptr(GByteArray) name = g_byte_array_new();
    uint64_t mode = d->fields[1];

    if (!copy_in(d, d->fields[0], MIN(d->fields[2], 64), true, name)) {
        return 0;
    }
    g_byte_array_append(name, (const uint8_t *)"", 1);
    if (!strcmp((const char *)name->data, ":tt") && mode < 12) {
        return HANDLE_INPUT + mode / 4;
    }
    if (!strcmp((const char *)name->data, ":semihosting-features") && mode < 2) {
        cpu_device(d->env)->semihosting.position = 0;
        return HANDLE_FEATURES;
    }
    return fail(d, EACCES);
}

static uint64_t do_close(Doing *d)
{
    return is_handle(d->fields[0]) ? 0 : fail(d, EBADF);
}

static uint64_t do_istty(Doing *d)
{
    return !is_handle(d->fields[0]) ? fail(d, EBADF) : d->fields[0] != HANDLE_FEATURES;
}

static uint64_t do_seek(Doing *d)
{
    if (d->fields[0] != HANDLE_FEATURES || d->fields[1] > sizeof(feature_file)) {
        return fail(d, is_handle(d->fields[0]) ? ESPIPE : EBADF);
    }
    cpu_device(d->env)->semihosting.position = d->fields[1];
    return 0;
}

static uint64_t do_flen(Doing *d)
{
    return d->fields[0] == HANDLE_FEATURES ? sizeof(feature_file)
        : is_handle(d->fields[0])          ? 0
                                           : fail(d, EBADF);
}

static uint64_t do_iserror(Doing *d)
{
    return d->fields[0] >> (d->call->word * 8 - 1) & 1;
}

static uint64_t do_errno(Doing *d)
{
    return (uint64_t)cpu_device(d->env)->semihosting.error;
}

/* ---- clocks ----------------------------------------------------------------------------------- */

static uint64_t do_clock(Doing *d)
{
    return (uint64_t)cpu_time_ns(d->env) / 10000000;
}

static uint64_t do_time(Doing *d)
{
    return (uint64_t)(machine_power_on_time(d->machine) + cpu_time_ns(d->env)) / 1000000000;
}

/* One value of 64 bits. */
static uint64_t do_elapsed(Doing *d)
{
    cpu_store(d->env, d->call->parameter, MEM_64, (uint64_t)cpu_time_ns(d->env));
    return 0;
}

static uint64_t do_tickfreq(Doing *d)
{
    return 1000000000;
}

/* ---- the program ------------------------------------------------------------------------------ */

static uint64_t do_get_cmdline(Doing *d)
{
    const char *text = machine_spec(d->machine)->boot.cmdline.text;
    size_t length = text ? strlen(text) : 0;

    if (length >= d->fields[1]) {
        return fail(d, E2BIG);
    }
    if (copy_out(d, d->fields[0], text ? text : "", length + 1)) {
        write_field(d, d->call->parameter, 1, length);
    }
    return 0;
}

/* Heap and stack, which are for the program to say: zeroes (2.2.6). */
static uint64_t do_heapinfo(Doing *d)
{
    for (unsigned i = 0; i < 4 && write_field(d, d->fields[0], i, 0); i++) {}
    return 0;
}

static uint64_t end(Doing *d, uint64_t reason, uint64_t code)
{
    bool taken = machine_lock_ensure();
    bool fine = reason == EXIT_APPLICATION && code == 0;

    cpu_power_off(d->env);
    machine_request(d->machine, fine ? MACHINE_POWEROFF : MACHINE_FAIL,
        reason == EXIT_APPLICATION ? (int)(code & 0xff) : 1);
    machine_lock_restore(taken);
    return 0;
}

/* On 32-bit CPUs the reason is the parameter itself, and there is no code. */
static uint64_t do_exit(Doing *d)
{
    if (d->call->word == 4) {
        return end(d, d->call->parameter, 0);
    }
    return read_fields(d, 2) ? end(d, d->fields[0], d->fields[1]) : 0;
}

static uint64_t do_exit_extended(Doing *d)
{
    return end(d, d->fields[0], d->fields[1]);
}

/* ---- the table -------------------------------------------------------------------------------- */

static const struct {
    uint8_t operation, fields; /* how many there are in the block */
    uint64_t (*call)(Doing *d);
} calls[] = {
    { SYS_OPEN, 3, do_open },
    { SYS_CLOSE, 1, do_close },
    { SYS_WRITEC, 0, do_writec },
    { SYS_WRITE0, 0, do_write0 },
    { SYS_WRITE, 3, do_write },
    { SYS_READ, 3, do_read },
    { SYS_READC, 0, do_readc },
    { SYS_ISERROR, 1, do_iserror },
    { SYS_ISTTY, 1, do_istty },
    { SYS_SEEK, 2, do_seek },
    { SYS_FLEN, 1, do_flen },
    { SYS_CLOCK, 0, do_clock },
    { SYS_TIME, 0, do_time },
    { SYS_ERRNO, 0, do_errno },
    { SYS_GET_CMDLINE, 2, do_get_cmdline },
    { SYS_HEAPINFO, 1, do_heapinfo },
    { SYS_EXIT, 0, do_exit },
    { SYS_EXIT_EXTENDED, 2, do_exit_extended },
    { SYS_ELAPSED, 0, do_elapsed },
    { SYS_TICKFREQ, 0, do_tickfreq },
};

bool semihosting_call(CpuEnv *env, const SemihostingCall *call, uint64_t *result)
{
    Doing d = { .env = env, .machine = cpu_device(env)->dev.machine, .call = call };

    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++) {
        if (calls[i].operation == call->operation) {
            *result = read_fields(&d, calls[i].fields) ? calls[i].call(&d) : 0;
            return !env->raised && !d.again;
        }
    }
    *result = fail(&d, ENOSYS); /* files, and programs of the host */
    return true;
}

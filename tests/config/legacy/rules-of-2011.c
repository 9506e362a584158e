/*
 * The rules of QEMU 0.15.50, August 2011, one by one: a number is a section of DRIVE.md, where they
 * were read from its source. No such QEMU can be asked any more.
 */
#include <glib.h>
#include <string.h>

#include "config/legacy/drives.h"
#include "config/legacy/legacy.h"
#include "tests/test.h"

typedef struct Rule {
    const char *section, *arguments;
    const char *refused;     /* in 2011: a part of the message; NULL: accepted */
    const char *expected;    /* accepted: the last drive that was asked for; NULL: not compared */
    const char *refused_now; /* by 7.2: a part of the message; NULL: not asked */
} Rule;

/* clang-format off */
static const Rule rules[] = {
    { "1.6 id", "x86_64 -drive file=a,,id=b", NULL, "b ide:0.0 a,id=b wb0" },
    { "1.6 id", "x86_64 -drive id=c,file=a.img", NULL, "c ide:0.0 a.img wb0" },
    { "1.9 bool", "x86_64 -drive file=a.img,snapshot=yes", "neither on nor off" },
    { "1.9 bool", "x86_64 -drive file=a.img,if=virtio,readonly=true", "neither on nor off" },
    { "1.9 number", "x86_64 -drive file=a.img,index=99999999999999999999999", NULL, NULL, "not a number" },
    { "2.1 keys", "x86_64 -drive file=a.img,foo=1", "no key of -drive in 2011" },
    { "2.1 keys", "x86_64 -drive file=a.img,cache.direct=on", "no key of -drive in 2011" },
    { "2.1 keys", "x86_64 -drive file=a.img,node-name=n", "no key of -drive in 2011" },
    { "2.1 keys", "x86_64 -drive file=a.img,discard=unmap", "no key of -drive in 2011" },
    { "2.1 keys", "x86_64 -drive file=a.img,bps=1", "no key of -drive in 2011" },
    { "2.6 orphan", "x86_64 -drive file=a.img,if=mtd", NULL, "mtd0 mtd:0.0 a.img wb0", "no place for a drive" },
    { "2.6 orphan", "x86_64 -drive file=a.img,if=xen", NULL, "xen0 xen:0.0 a.img wb0", "no place for a drive" },
    { "3 empty", "x86_64 -drive if=floppy,cache=none", NULL, "floppy0 floppy:0.0 - wb1", "neither a driver nor a file" },
    { "3 empty", "x86_64 -drive if=floppy,format=raw", NULL, "floppy0 floppy:0.0 - wb0", "needs a file" },
    { "4 serial", "x86_64 -drive file=a.img,if=virtio,serial=123456789012345678901234", NULL, "virtio0 virtio:0.0 a.img wb0 serial=12345678901234567890", "no option of" },
    { "4 addr", "x86_64 -drive file=a.img,if=virtio,addr=5", NULL, "virtio0 virtio:0.0 a.img wb0", "no option of" },
    { "4 addr", "x86_64 -drive file=a.img,addr=5", "`addr` is for if=virtio" },
    { "4 geometry", "x86_64 -drive file=a.img,cyls=100,heads=16,secs=63", NULL, NULL, "no option of" },
    { "4 geometry", "x86_64 -drive file=a.img,cyls=100", "`heads` is not between" },
    { "4 geometry", "x86_64 -drive file=a.img,cyls=16384,heads=16,secs=63", "`cyls` is not between" },
    { "4 geometry", "x86_64 -drive file=a.img,cyls=1,heads=17,secs=63", "`heads` is not between" },
    { "4 geometry", "x86_64 -drive file=a.img,cyls=1,heads=1,secs=64", "`secs` is not between" },
    { "4 geometry", "x86_64 -drive file=a.img,if=none,cyls=20000,heads=200,secs=64", NULL, NULL },
    { "4 geometry", "x86_64 -drive file=a.img,media=cdrom,cyls=1,heads=1,secs=1", "CD-ROM has no cyls" },
    { "4 trans", "x86_64 -drive file=a.img,trans=lba", "`trans` needs cyls" },
    { "4 trans", "x86_64 -drive file=a.img,trans=x,cyls=1,heads=1,secs=1", "no value of `trans`" },
    { "4 hdachs", "x86_64 -hdachs 10,2,8 -hda a.img", NULL, NULL, "removed" },
    { "4 boot", "x86_64 -drive file=a.img,boot=on", "no key of -drive in 2011" },
    { "4 aio", "x86_64 -drive file=a.img,aio=io_uring", "no value of `aio`" },
    { "4 rerror", "x86_64 -drive file=a.img,rerror=enospc", "no value of `rerror`" },
    { "4 werror", "x86_64 -drive file=a.img,if=floppy,werror=stop", "not for drives with if=floppy" },
    { "5.1 cache", "x86_64 -drive file=a.img", NULL, "ide0-hd0 ide:0.0 a.img wb0" },
    { "5.1 cache", "x86_64 -drive file=a.img,cache=writeback", NULL, "ide0-hd0 ide:0.0 a.img wb1" },
    { "5.1 cache", "x86_64 -drive file=a.img,cache=off", NULL, "ide0-hd0 ide:0.0 a.img wb1 direct" },
    { "5.1 cache", "x86_64 -drive file=a.img,cache=directsync", NULL, "ide0-hd0 ide:0.0 a.img wb0 direct" },
    { "5.1 snapshot", "x86_64 -drive file=a.img,cache=none,snapshot=on", NULL, "ide0-hd0 ide:0.0 a.img wb1 no-flush" },
    { "5.1 snapshot", "x86_64 -snapshot -hda a.img", NULL, "ide0-hd0 ide:0.0 a.img wb1 no-flush" },
    { "5.2 aio", "x86_64 -drive file=a.img,aio=native", NULL, NULL, "needs cache.direct=on" },
    { "5.3 names", "x86_64 -drive file=json:{}", "no protocol in 2011" },
    { "5.3 names", "x86_64 -hda file:a.img", "a part of the file's name" },
    { "5.3 names", "x86_64 -hda nbd+unix:///e?socket=s", "no protocol in 2011" },
    { "5.3 names", "x86_64 -hda tftp://h/a", "gone from QEMU" },
    { "5.3 locks", "x86_64 -hda a.img -hdb a.img", NULL, NULL, "two drives use" },
    { "5.5 read-only", "x86_64 -drive file=a.img,readonly=on", "cannot be read-only" },
    { "5.5 read-only", "arm -M versatilepb -drive file=a.img,if=sd,readonly=on", "cannot be read-only" },
    { "5.5 read-only", "x86_64 -drive file=a.img,if=virtio,readonly=on", NULL, NULL },
    { "5.5 read-only", "x86_64 -drive file=a.iso,media=cdrom", NULL, "ide0-cd0 ide:0.0 a.iso wb0" },
    { "6 default", "arm -M versatilepb -drive file=a.img", NULL, "scsi0-hd0 scsi:0.0 a.img wb0 scsi-hd@scsi.0" },
    { "6 default", "arm -M vexpress-a9 -drive file=a.img", NULL, "scsi0-hd0 scsi:0.0 a.img wb0" },
    { "6 default", "arm -M lm3s6965evb -drive file=a.img", NULL, "ide0-hd0 ide:0.0 a.img wb0" },
    { "6 -sd", "arm -M versatilepb -sd a.img -sd b.img", "there is a drive at bus 0, unit 0" },
    { "7 scsi", "x86_64 -drive file=a.img,if=scsi,bus=1,unit=2", NULL, "scsi1-hd2 scsi:1.2 a.img wb0 scsi-hd@scsi.1", "no place for a drive" },
    { "7 devices", "x86_64 -drive if=none,id=d,file=a.img -device ide-drive,drive=d", NULL, "d none:0.0 a.img wb0 ide-hd@ide.1", "no device of" },
    { "7 devices", "x86_64 -drive if=none,id=d,file=a.img,media=cdrom -device lsi -device scsi-disk,drive=d", NULL, "d none:0.0 a.img wb0 scsi-cd@scsi.0", "no device of" },
    { "9 options", "x86_64 -blockdev driver=file,filename=a.img,node-name=n", "QEMU had no `-blockdev` in 2011" },
    { "9 options", "x86_64 -nic user", "QEMU had no `-nic` in 2011" },
    { "9 options", "x86_64 -tftp /x -hda a.img", NULL, NULL, "was removed from QEMU" },
};
/* clang-format on */

static char *describe(const Legacy *l)
{
    const LegacyDrive *drive = NULL;
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < l->drives->len; i++) {
        const LegacyDrive *each = g_ptr_array_index(l->drives, i);

        drive = each->automatic ? drive : each;
    }
    if (!drive) {
        return g_string_free(text, false);
    }
    g_string_append_printf(text, "%s %s:%d.%d %s wb%d", drive->id,
        interface_names[drive->interface], drive->bus, drive->unit,
        drive->node ? drive->node->file : "-", drive->writeback);
    g_string_append(text, drive->node && drive->node->direct ? " direct" : "");
    g_string_append(text, drive->node && drive->node->no_flush ? " no-flush" : "");
    if (drive->serial) {
        g_string_append_printf(text, " serial=%s", drive->serial);
    }
    if (drive->front && drive->interface != IF_IDE && drive->interface != IF_FLOPPY &&
        drive->interface != IF_VIRTIO) {
        g_string_append_printf(text, " %s@%s", drive->front->type, drive->front->bus);
    }
    return g_string_free(text, false);
}

/* What is said of a line; "" when it is accepted, and then `what` is its last drive. */
static char *judge(const char *arguments, LegacyAs as, char **what)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(Arena) arena = arena_create();
    g_autofree char *line = g_strdup_printf("qemu-system-%s", arguments);
    g_autoptr(Source) source = source_from_text("line", line, -1, diag);
    g_autoptr(GHashTable)
        variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) commands = words_commands(source, SCRIPT_SHELL, variables, arena, diag);
    g_autoptr(Legacy) l = legacy_new(source, as, NULL, diag);

    *what = NULL;
    assert_int_equal(commands->len, 1);
    if (!legacy_read(l, commands->pdata[0])) {
        return diag_to_string(diag, DIAG_SHORT);
    }
    *what = describe(l);
    return g_strdup("");
}

static void each_rule_is_kept(void **state)
{
    unsigned broken = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(rules); i++) {
        const Rule *rule = &rules[i];
        g_autofree char *what = NULL, *said = judge(rule->arguments, AS_2011, &what);
        bool right = rule->refused
            ? strstr(said, rule->refused) != NULL
            : !*said && (!rule->expected || g_strcmp0(what, rule->expected) == 0);

        if (!right) {
            print_message(
                "%s: %s\n  %s%s\n", rule->section, rule->arguments, said, what ? what : "");
        }
        broken += !right;
    }
    assert_int_equal(broken, 0);
}

static void and_7_2_has_another_rule(void **state)
{
    unsigned broken = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(rules); i++) {
        const Rule *rule = &rules[i];
        g_autofree char *what = NULL, *said = judge(rule->arguments, AS_7_2, &what);
        bool right = !rule->refused_now || strstr(said, rule->refused_now);

        if (!right) {
            print_message("%s: %s\n  %s\n", rule->section, rule->arguments, said);
        }
        broken += !right;
    }
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_kept),
        cmocka_unit_test(and_7_2_has_another_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

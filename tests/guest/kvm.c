/*
 * A small virtual machine monitor on KVM, for arm64: it boots a kernel in the test's machine and shows what that
 * prints. It gives its guest memory, a GICv3, PSCI, timers and the registers of a PL011 that are written to.
 *   kvm CPUS KERNEL INITRD FDT      files or block devices; the FDT has the addresses below
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    RAM = 0x40000000,
    RAM_SIZE = 256 << 20,
    FDT_AT = 0x48000000,
    INITRD_AT = 0x4a000000,
    DIST = 0x08000000,
    REDIST = 0x080a0000,
    UART = 0x09000000,
    UART_FLAGS = 0x18,
    UART_EMPTY = 0x90,
    CPUS_MAX = 4,
};

static int vm, vcpus[CPUS_MAX];
static struct kvm_run *runs[CPUS_MAX];
static char *ram;

static void check(int result, const char *what)
{
    if (result < 0) {
        printf("@kvm %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static void load(const char *path, uint64_t at)
{
    int fd = open(path, O_RDONLY);
    char *to = ram + (at - RAM);
    ssize_t got;

    check(fd, path);
    while ((got = read(fd, to, (size_t)(ram + RAM_SIZE - to))) > 0) {
        to += got;
    }
    check((int)got, path);
    close(fd);
}

/* Where an Image wants to be: its text_offset, behind a boundary of 2 MiB (Documentation/arm64/booting.rst). */
static uint64_t load_kernel(const char *path)
{
    uint64_t offset;

    load(path, RAM);
    memcpy(&offset, ram + 8, sizeof(offset));
    if (offset) {
        memmove(ram + offset, ram, RAM_SIZE / 2);
    }
    return RAM + offset;
}

static void set_register(int vcpu, uint64_t number, uint64_t value)
{
    struct kvm_one_reg reg = {
        .id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | number / 4,
        .addr = (uint64_t)&value,
    };

    check(ioctl(vcpu, KVM_SET_ONE_REG, &reg), "a register");
}

static void make_cpu(unsigned i, uint64_t entry)
{
    int size = ioctl(open("/dev/kvm", O_RDWR), KVM_GET_VCPU_MMAP_SIZE, 0);
    struct kvm_vcpu_init init;

    vcpus[i] = ioctl(vm, KVM_CREATE_VCPU, i);
    check(vcpus[i], "a CPU");
    check(ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init), "its target");
    init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2 | (i ? 1 << KVM_ARM_VCPU_POWER_OFF : 0);
    check(ioctl(vcpus[i], KVM_ARM_VCPU_INIT, &init), "its reset");
    runs[i] = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpus[i], 0);
    if (!i) {
        set_register(vcpus[i], offsetof(struct kvm_regs, regs.regs[0]), FDT_AT);
        set_register(vcpus[i], offsetof(struct kvm_regs, regs.pc), entry);
    }
}

static void set_attribute(int device, uint32_t group, uint64_t attribute, uint64_t value)
{
    struct kvm_device_attr attr = { .group = group, .attr = attribute, .addr = (uint64_t)&value };

    check(ioctl(device, KVM_SET_DEVICE_ATTR, &attr), "the GIC's place");
}

static void make_gic(void)
{
    struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };

    check(ioctl(vm, KVM_CREATE_DEVICE, &device), "a GIC");
    set_attribute(
        (int)device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, DIST);
    set_attribute(
        (int)device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, REDIST);
    set_attribute((int)device.fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
}

/* Each line of the guest begins with '|'. */
static void put(char c)
{
    static int in_line;

    if (!in_line) {
        putchar('|');
    }
    in_line = c != '\n';
    if (c != '\r') {
        putchar(c);
    }
    if (!in_line) {
        fflush(stdout);
    }
}

static void access_device(struct kvm_run *run)
{
    uint64_t value = run->mmio.phys_addr == UART + UART_FLAGS ? UART_EMPTY : 0;

    if (!run->mmio.is_write) {
        memcpy(run->mmio.data, &value, sizeof(value));
    } else if (run->mmio.phys_addr == UART) {
        put((char)run->mmio.data[0]);
    }
}

static void *run_cpu(void *argument)
{
    unsigned i = (unsigned)(uintptr_t)argument;

    for (;;) {
        if (ioctl(vcpus[i], KVM_RUN, 0) < 0 && errno != EINTR) {
            check(-1, "run");
        }
        switch (runs[i]->exit_reason) {
        case KVM_EXIT_MMIO: access_device(runs[i]); break;
        case KVM_EXIT_INTR: break;
        case KVM_EXIT_SYSTEM_EVENT:
            printf("@kvm ended %u\n", runs[i]->system_event.type);
            exit(0);
        default: printf("@kvm exit %u\n", runs[i]->exit_reason); exit(1);
        }
    }
}

int main(int argc, char **argv)
{
    unsigned cpus = argc == 5 ? (unsigned)atoi(argv[1]) : 0;
    struct kvm_userspace_memory_region region = {
        .guest_phys_addr = RAM,
        .memory_size = RAM_SIZE,
    };
    pthread_t thread;
    uint64_t entry;
    int kvm = open("/dev/kvm", O_RDWR);

    if (cpus < 1 || cpus > CPUS_MAX) {
        printf("usage: kvm CPUS KERNEL INITRD FDT\n");
        return 2;
    }
    check(kvm, "/dev/kvm");
    vm = ioctl(kvm, KVM_CREATE_VM, 0);
    check(vm, "a machine");
    ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    region.userspace_addr = (uint64_t)ram;
    check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "memory");
    entry = load_kernel(argv[2]);
    load(argv[3], INITRD_AT);
    load(argv[4], FDT_AT);
    for (unsigned i = 0; i < cpus; i++) {
        make_cpu(i, entry);
    }
    make_gic();
    for (unsigned i = 1; i < cpus; i++) {
        pthread_create(&thread, NULL, run_cpu, (void *)(uintptr_t)i);
    }
    run_cpu(NULL);
}

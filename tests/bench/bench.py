#!/usr/bin/env python3
"""Compares lathe with QEMU on the same guest, alternating, by the median of the ratios.

bench.py --lathe PROGRAM --guest riscv64|arm64 [--rounds N] [--ms N] [KERNEL ...]

newcode is what translation costs, asked from outside: QEMU 7.2 took 1,050 ns for an instruction where the mark
of 200 ns was set, so the ratio is to be 5.25.

A ratio is QEMU's time over lathe's: 2.0 means that lathe is twice as fast. The guest measures itself with
its own clock, which both emulators drive from the host's. Checksums of both must be equal. Nothing here
passes or fails; the column `goal` is what the project asks of itself.
"""
import argparse
import math
import os
import re
import statistics
import subprocess
import sys
import time

INTEGER = 'fib interp icall branch sort sieve muldiv strings sha256 aes crc32'.split()
FLOAT = 'matmul fma nbody mandel fir32 fpconv libm'.split()
SIMD = 'simdi simdf'.split()
MEMORY = 'copy4k copy4m set64k stream chase16k chase512k chase8m unaligned atomic'.split()
SYSTEM = 'syscall clock signal pagefault mprotect fork forkexec pingpong'.split()
CODE = 'smc coldcode newcode'.split()
GROUPS = {'integer': INTEGER, 'float': FLOAT, 'simd': SIMD, 'memory': MEMORY, 'system': SYSTEM, 'code': CODE}


def goals_of_all(goal, names):
    return {name: goal for name in names}


class Guest:
    """What differs between the guests: the peer's command line, what a first act looks like, the goals."""

    def __init__(self, console, peer, write_byte, sleep, groups, kernels, boot):
        self.console, self.peer = console, peer
        self.write_byte, self.sleep = write_byte, sleep         # instructions of a firmware
        self.groups, self.kernels, self.boot = groups, kernels, boot


GUESTS = {
    'riscv64': Guest(
        console='ttyS0', peer=['qemu-system-riscv64', '-M', 'virt', '-cpu', 'rv64'],
        # lui a0,0x10000; li a1,65; sb a1,0(a0); wfi; j .-4
        write_byte=[0x10000537, 0x04100593, 0x00b50023, 0x10500073, 0xffdff06f],
        sleep=[0x10500073, 0xffdff06f],                         # wfi; j .-4
        groups={'integer': 1.5, 'float': 4.0},
        kernels={'interp': 2, 'fib': 2, 'copy4k': 5, 'coldcode': 4, 'smc': 4, 'newcode': 5.25,
                 **goals_of_all(1.5, ['syscall', 'signal', 'pagefault', 'fork']),
                 **goals_of_all(0.9, [k for k in INTEGER if k not in ('interp', 'fib')])},
        boot=0.8),
    'arm64': Guest(
        console='ttyAMA0', peer=['qemu-system-aarch64', '-M', 'virt,gic-version=3', '-cpu', 'cortex-a57'],
        # mov w0,#0x9000000; mov w1,#65; strb w1,[x0]; wfi; b .-4
        write_byte=[0x52a12000, 0x52800821, 0x39000001, 0xd503207f, 0x17ffffff],
        sleep=[0xd503207f, 0x17ffffff],                         # wfi; b .-4
        groups={'integer': 1.5, 'float': 4.0, 'simd': 3.0},
        kernels={'newcode': 5.25, 'syscall': 5, 'fork': 2, 'forkexec': 2, **goals_of_all(3, SIMD),
                 **goals_of_all(3, ['pagefault', 'mprotect', 'signal', 'pingpong']),
                 **goals_of_all(0.9, INTEGER)},
        boot=0.7),
}


def memory_of(process):
    """Resident MiB, and how much of it is not the guest's RAM, which is the mapping with most of it."""
    with open(f'/proc/{process.pid}/smaps') as smaps:
        resident = [int(row.split()[1]) / 1024 for row in smaps if row.startswith('Rss:')]
    return sum(resident), sum(resident) - max(resident)


class Run:
    """One emulator, once: kernels {name: (ns, checksum)}, seconds to the guest's init, memory there."""

    def __init__(self, command, limit, last='@done', boots=True):
        self.kernels, self.boot, self.resident, self.beyond, self.translation = {}, None, None, None, None
        self.started, self.tail = time.monotonic(), []
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        try:
            for raw in process.stdout:
                line = raw.decode('latin1').strip()
                self.read(line, process)
                if last in line or time.monotonic() > self.started + limit:
                    break
        finally:
            self.ended = time.monotonic()
            process.terminate()
            rest = process.stdout.read().decode('latin1')
            process.wait()
        found = re.search(r'(\d+) ns to translate', rest)
        self.translation = found and int(found[1])
        self.took = self.ended - self.started
        if boots and self.boot is None:
            sys.exit('bench: the guest did not reach its init:\n' + '\n'.join(self.tail))

    def read(self, line, process):
        self.tail = (self.tail + [line])[-12:]
        words = line.split()
        if '@init' in line and self.boot is None:
            self.boot = time.monotonic() - self.started
            self.resident, self.beyond = memory_of(process)
        elif len(words) == 6 and words[0] == 'B':
            self.kernels[words[1]] = (float(words[2]), words[5])


def firmware(folder, name, words):
    path = os.path.join(folder, name)
    with open(path, 'wb') as image:
        image.write(b''.join(word.to_bytes(4, 'little') for word in words))
    return path


def first_byte(command):
    """Seconds from starting a program to the first byte it writes."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    os.read(process.stdout.fileno(), 1)
    took = time.monotonic() - started
    process.terminate()
    process.wait()
    return took


def resident_of(command):
    """MiB of a machine whose guest does nothing."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    time.sleep(1)
    with open(f'/proc/{process.pid}/status') as status:
        resident = next(int(row.split()[1]) / 1024 for row in status if row.startswith('VmRSS'))
    process.terminate()
    process.wait()
    return resident


def start_up(options, guest, machine):
    """From exec to the guest's first act, a byte to its console; and what is resident before a guest does anything."""
    for what, words in (('byte', guest.write_byte), ('sleep', guest.sleep)):
        image = firmware(options.files, f'{what}.bin', words)
        lathe = [options.lathe, 'run', machine, '--set', f'boot.firmware={image}',
                 '--set', 'boot.kernel=null', '--set', 'boot.initrd=null', '--set', 'boot.cmdline=null']
        peer = [*guest.peer, '-accel', 'tcg', '-m', '512', '-nographic', '-nodefaults', '-serial', 'stdio',
                '-monitor', 'none', '-bios', image]
        if what == 'byte':
            # Starting a program that only writes a byte is no part of it.
            times = [[first_byte(command) for command in (['echo'], lathe, peer)] for _ in range(11)]
            nothing, ours, theirs = map(statistics.median, zip(*times))
            print(f'exec to the guest\'s first byte, ms      {(ours - nothing) * 1e3:7.1f} '
                  f'against {(theirs - nothing) * 1e3:.1f}   (goal 10)')
        else:
            print(f'resident before the guest runs, MiB    {resident_of(lathe):7.1f} '
                  f'against {resident_of(peer):.1f}')


def row(what, value, goal, text=''):
    print(f'{what:39} {value:7.2f} {goal:5.1f} {"" if value <= goal else "  above"}{text}')


def peer_with(guest, cpus, memory):
    return [*guest.peer, '-accel', 'tcg', '-smp', str(cpus), '-m', memory, '-nographic', '-no-reboot', '-nodefaults',
            '-serial', 'stdio', '-monitor', 'none']


def boot_of_four(options, guest, machine):
    """To the guest's init with four CPUs, of the time that one takes, in turns."""
    line = f'console={guest.console} lathe.do=boot'
    ours, theirs = [], []
    for _ in range(options.rounds):
        for times, commands in (
                (ours, [[options.lathe, 'run', machine, '--set', f'cpus.count={cpus}', '--set', f'boot.cmdline={line}']
                        for cpus in (4, 1)]),
                (theirs, [[*peer_with(guest, cpus, '512'), '-kernel', f'{options.files}/Image',
                           '-initrd', f'{options.files}/bench.gz', '-append', line] for cpus in (4, 1)])):
            four, one = (Run(command, 120, '@init').boot for command in commands)
            times.append(four / one if four and one else math.inf)
    row('boot to init with 4 CPUs, of 1 CPU\'s', statistics.median(ours), 1.0,
        f'  (QEMU: {statistics.median(theirs):.2f})')


def switches(options, guest, machine):
    """The cost of another address space, and of that with 32 pages touched in each; a bare program says."""
    program = f'{options.files}/switch.elf'
    if not os.path.exists(program):
        return
    lathe = [options.lathe, 'run', machine, '--set', f'boot.kernel={program}', '--set', 'boot.initrd=null',
             '--set', 'boot.cmdline=null']
    peer = [*peer_with(guest, 1, '512'), '-kernel', program]
    runs = [[Run(command, 60, boots=False).kernels for command in (lathe, peer)] for _ in range(options.rounds)]
    for name, goal in (('switch', 200), ('switch32', math.inf)):
        ours, theirs = ([run[who][name][0] for run in runs] for who in (0, 1))
        ratio = statistics.median(t / o for o, t in zip(ours, theirs))
        print(f'{name + ", ns for an address-space switch":39} {statistics.median(ours):7.0f} '
              f'against {statistics.median(theirs):.0f} ({ratio:.1f})'
              f'{"" if goal == math.inf else f"   (goal {goal})"}')


def login(options, guest, machine):
    """
    From exec to a systemd system's login, when its disk was made (tests/guest/rootfs.sh): to the line before the
    prompt, which itself has no end.
    """
    disk = f'{options.files}/root.img'
    if not os.path.exists(disk):
        print('systemd to its login: no disk here, LONG=1 make check makes it')
        return
    line = f'console={guest.console} lathe.do=root'
    drive = f'{{"root": {{"file": "{disk}", "format": "raw", "overlay": "ephemeral"}}}}'
    times = {}
    for _ in range(min(options.rounds, 2)):
        for cpus in (1, 4):
            for who, command in (
                    ('lathe', [options.lathe, 'run', machine, '--set', f'cpus.count={cpus}', '--set', 'memory=1GiB',
                               '--set', f'boot.cmdline={line}', '--set', f'drives={drive}']),
                    ('peer', [*peer_with(guest, cpus, '1024'), '-kernel', f'{options.files}/Image',
                              '-initrd', f'{options.files}/bench.gz', '-append', line,
                              '-drive', f'file={disk},format=raw,if=none,id=root,snapshot=on',
                              '-device', 'virtio-blk-device,drive=root'])):
                took = Run(command, 600, 'GNU/Linux 12 lathe', boots=False).took
                times.setdefault((who, cpus), []).append(took)
                print(f'login, {who} with {cpus}: {took:.1f} s', file=sys.stderr)

    def ratio(one, other):
        return statistics.median(a / b for a, b in zip(times[one], times[other]))

    row('systemd to its login, of QEMU\'s time', ratio(('lathe', 1), ('peer', 1)), 0.7)
    row('login with 4 CPUs, of 1 CPU\'s', ratio(('lathe', 4), ('lathe', 1)), 1.0,
        f'  (QEMU: {ratio(("peer", 4), ("peer", 1)):.2f})')


def geomean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def verdict(ratio, goal):
    return '' if goal is None else f'{goal:5.1f} {"" if ratio >= goal else "  below"}'


def print_kernels(guest, rounds):
    """A line each; gives the geometric mean of each group's ratios."""
    print(f'{"":12} {"lathe ns":>12} {"QEMU ns":>12} {"ratio":>7} {"goal":>6}')
    means = {}
    for group, names in GROUPS.items():
        ratios = []
        for name in names:
            pairs = [(o.kernels[name], t.kernels[name]) for o, t in rounds
                     if name in o.kernels and name in t.kernels]
            if not pairs:
                continue
            ratio = statistics.median(t[0] / o[0] for o, t in pairs)
            wrong = any(o[1] != t[1] for o, t in pairs)
            ratios.append(ratio)
            print(f'{name:12} {statistics.median(o[0] for o, _ in pairs):12.1f} '
                  f'{statistics.median(t[0] for _, t in pairs):12.1f} {ratio:7.2f} '
                  f'{verdict(ratio, guest.kernels.get(name))}{"  CHECKSUMS DIFFER" if wrong else ""}')
        if len(ratios) > 1:
            means[group] = geomean(ratios)
    return means


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--lathe', required=True)
    parser.add_argument('--guest', choices=GUESTS, required=True)
    parser.add_argument('--files', required=True, help="the folder of the guest's kernel and initramfs")
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--ms', type=int, default=100)
    parser.add_argument('kernels', nargs='*')
    options = parser.parse_args()
    guest = GUESTS[options.guest]
    machine = os.path.join(os.path.dirname(os.path.abspath(__file__)), f'{options.guest}.yaml')
    wanted = options.kernels or [k for names in GROUPS.values() for k in names]
    line = f'console={guest.console} lathe.do=bench lb.t={options.ms} lb.r=3 lb.args={",".join(wanted)}'
    lathe = [options.lathe, 'run', machine, '--stats', '--set', f'boot.cmdline={line}']
    peer = [*guest.peer, '-accel', 'tcg', '-smp', '1', '-m', '512', '-nographic', '-no-reboot',
            '-nodefaults', '-serial', 'stdio', '-monitor', 'none',
            '-kernel', f'{options.files}/Image', '-initrd', f'{options.files}/bench.gz', '-append', line]
    limit = 120 + len(wanted) * options.ms * 4 * 3 / 100
    rounds = []
    for number in range(options.rounds):
        ours, theirs = Run(lathe, limit), Run(peer, limit)
        rounds.append((ours, theirs))
        print(f'round {number + 1}: boot {ours.boot:.2f} s against {theirs.boot:.2f} s', file=sys.stderr)

    for group, mean in print_kernels(guest, rounds).items():
        print(f'geomean {group:30} {mean:7.2f} {verdict(mean, guest.groups.get(group))}')
    row('boot to init, of QEMU\'s time', statistics.median(o.boot / t.boot for o, t in rounds), guest.boot)
    for what, name in (('resident at init, MiB                 ', 'resident'),
                       ('of that beyond the guest\'s RAM, MiB   ', 'beyond')):
        ours, theirs = zip(*[(getattr(o, name), getattr(t, name)) for o, t in rounds])
        print(f'{what} {statistics.median(ours):7.1f} against {statistics.median(theirs):.1f}')
    print(f'translation, ns for a guest instruction {statistics.median(o.translation for o, _ in rounds):6.0f}')
    start_up(options, guest, machine)
    boot_of_four(options, guest, machine)
    switches(options, guest, machine)
    if options.guest == 'arm64':
        login(options, guest, machine)


main()

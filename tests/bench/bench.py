#!/usr/bin/env python3
"""Compares lathe with QEMU on the same guest, alternating, by the median of the ratios.

bench.py --lathe PROGRAM --guest FOLDER [--rounds N] [--ms N] [KERNEL ...]

A ratio is QEMU's time over lathe's: 2.0 means that lathe is twice as fast. The guest measures itself with
its own clock, which both emulators drive from the host's. Checksums of both must be equal. Nothing here
passes or fails; the column `goal` is what the project asks of itself.
"""
import argparse
import math
import os
import statistics
import subprocess
import sys
import time

INTEGER = 'fib interp icall branch sort sieve muldiv strings sha256 aes crc32'.split()
FLOAT = 'matmul fma nbody mandel fir32 fpconv libm'.split()
MEMORY = 'copy4k copy4m set64k stream chase16k chase512k chase8m unaligned atomic'.split()
SYSTEM = 'syscall clock signal pagefault mprotect fork forkexec pingpong'.split()
CODE = 'smc coldcode'.split()
GROUPS = [('integer', INTEGER, 1.5), ('float', FLOAT, 4.0), ('memory', MEMORY, None),
          ('system', SYSTEM, None), ('code', CODE, None)]
GOALS = {'interp': 2, 'fib': 2, 'copy4k': 5, 'coldcode': 4, 'smc': 4, 'syscall': 1.5, 'signal': 1.5,
         'pagefault': 1.5, 'fork': 1.5, **{k: 0.9 for k in INTEGER if k not in ('interp', 'fib')}}


def run(command, limit):
    """Runs an emulator; gives kernels {name: (ns, checksum)}, seconds to the guest's init, RSS in MiB there."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    kernels, boot, resident, tail = {}, None, None, []
    timer = time.monotonic() + limit
    try:
        for raw in process.stdout:
            line = raw.decode('latin1').strip()
            tail = (tail + [line])[-12:]
            words = line.split()
            if '@init' in line and boot is None:
                boot = time.monotonic() - started
                with open(f'/proc/{process.pid}/status') as status:
                    resident = next(int(row.split()[1]) / 1024 for row in status if row.startswith('VmRSS'))
            elif len(words) == 6 and words[0] == 'B':
                kernels[words[1]] = (float(words[2]), words[5])
            if '@done' in line or time.monotonic() > timer:
                break
    finally:
        process.terminate()
        process.wait()
    if boot is None:
        sys.exit('bench: the guest did not reach its init:\n' + '\n'.join(tail))
    return kernels, boot, resident


# lui a0,0x100; lui a1,5; addi a1,a1,0x555; sw a1,0(a0); j . : the guest's first act is to power off
POWER_OFF = [0x00100537, 0x000055b7, 0x55558593, 0x00b52023, 0x0000006f]
# wfi; j .-4
SLEEP = [0x10500073, 0xffdff06f]


def firmware(folder, name, words):
    path = os.path.join(folder, name)
    with open(path, 'wb') as image:
        image.write(b''.join(word.to_bytes(4, 'little') for word in words))
    return path


def seconds_of(command):
    started = time.monotonic()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=20)
    return time.monotonic() - started


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


def start_up(options, here):
    """From exec to the guest's power-off, its first act; and what is resident before a guest does anything."""
    for what, words in (('off', POWER_OFF), ('sleep', SLEEP)):
        image = firmware(options.guest, f'{what}.bin', words)
        lathe = [options.lathe, 'run', os.path.join(here, 'riscv64.yaml'), '--set', f'boot.firmware={image}',
                 '--set', 'boot.kernel=null', '--set', 'boot.initrd=null', '--set', 'boot.cmdline=null']
        peer = ['qemu-system-riscv64', '-accel', 'tcg', '-m', '512', '-nographic', '-nodefaults', '-M', 'virt',
                '-bios', image]
        if what == 'off':
            ours, theirs = zip(*[(seconds_of(lathe), seconds_of(peer)) for _ in range(11)])
            print(f'exec to the guest\'s power-off, ms       {statistics.median(ours) * 1e3:7.1f} '
                  f'against {statistics.median(theirs) * 1e3:.1f}')
        else:
            print(f'resident before the guest runs, MiB    {resident_of(lathe):7.1f} '
                  f'against {resident_of(peer):.1f}')


def geomean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def verdict(ratio, goal):
    return '' if goal is None else f'{goal:5.1f} {"" if ratio >= goal else "  below"}'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--lathe', required=True)
    parser.add_argument('--guest', required=True)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--ms', type=int, default=100)
    parser.add_argument('kernels', nargs='*')
    options = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    wanted = options.kernels or [k for _, names, _ in GROUPS for k in names]
    line = (f'console=ttyS0 lathe.do=bench lb.t={options.ms} lb.r=3 lb.args={",".join(wanted)}')
    lathe = [options.lathe, 'run', os.path.join(here, 'riscv64.yaml'), '--set', f'boot.cmdline={line}']
    peer = ['qemu-system-riscv64', '-accel', 'tcg', '-smp', '1', '-m', '512', '-nographic', '-no-reboot',
            '-nodefaults', '-serial', 'stdio', '-monitor', 'none', '-M', 'virt', '-cpu', 'rv64',
            '-kernel', f'{options.guest}/Image', '-initrd', f'{options.guest}/bench.gz', '-append', line]
    limit = 120 + len(wanted) * options.ms * 4 * 3 / 100
    rounds = []
    for number in range(options.rounds):
        ours, theirs = run(lathe, limit), run(peer, limit)
        rounds.append((ours, theirs))
        print(f'round {number + 1}: boot {ours[1]:.2f} s against {theirs[1]:.2f} s', file=sys.stderr)

    print(f'{"":12} {"lathe ns":>12} {"QEMU ns":>12} {"ratio":>7} {"goal":>6}')
    means = []
    for group, names, goal in GROUPS:
        ratios = {}
        for name in names:
            pairs = [(o[0][name], t[0][name]) for o, t in rounds if name in o[0] and name in t[0]]
            if not pairs:
                continue
            ratio = statistics.median(t[0] / o[0] for o, t in pairs)
            wrong = any(o[1] != t[1] for o, t in pairs)
            ratios[name] = ratio
            print(f'{name:12} {statistics.median(o[0] for o, _ in pairs):12.1f} '
                  f'{statistics.median(t[0] for _, t in pairs):12.1f} {ratio:7.2f} '
                  f'{verdict(ratio, GOALS.get(name))}{"  CHECKSUMS DIFFER" if wrong else ""}')
        if len(ratios) > 1:
            means.append((group, geomean(list(ratios.values())), goal))
    for group, mean, goal in means:
        print(f'geomean {group:30} {mean:7.2f} {verdict(mean, goal)}')
    boot = statistics.median(o[1] / t[1] for o, t in rounds)
    print(f'boot to init, of the peer\'s time       {boot:7.2f} {"  0.8" if boot <= 0.8 else "  0.8   above"}')
    print(f'resident at init, MiB                  {statistics.median(o[2] for o, _ in rounds):7.1f} '
          f'against {statistics.median(t[2] for _, t in rounds):.1f}')
    start_up(options, here)


main()

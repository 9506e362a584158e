#!/usr/bin/env python3
"""Requests of a guest to its virtio disk, lathe beside QEMU in one run, alternating.

   guest-block.py --lathe PROGRAM --guest riscv64|arm64 --files FOLDER [--rounds N] [--ms N] [PATTERN...]

For each format, cache mode and engine the guest runs `blk`: random and sequential reads and writes, one at
a time and many at once. Printed is lathe's rate and how many times QEMU's it is, by the best of the
rounds. Only cases ("raw/none/io_uring") that match all patterns are run. Nothing here passes or fails;
the goal, 1.5 where the processor is the limit, is printed beside what is below. Requests that go one at a
time to the host's device are made by the host alone, too, between the two: what the device takes for one
is in both times, and what is left of them is compared as well.
"""
import argparse
import math
import mmap
import os
import random
import re
import subprocess
import sys
import tempfile
import time

CASES = [f'{form}/{cache}/{engine}' for form in ('raw', 'qcow2')
         for cache, engines in (('writeback', 'threads io_uring'), ('none', 'native io_uring threads'),
                                ('writethrough', 'threads'), ('directsync', 'native'), ('unsafe', 'threads'))
         for engine in engines.split()]
JOBS = ['rr:4096:1', 'rr:4096:16', 'rw:4096:1', 'rw:4096:16', 'sr:65536:8', 'sw:65536:8']    # of the guest's init
SIZE = 64 << 20
GOAL = 1.5
GUESTS = {'riscv64': ('ttyS0', ['qemu-system-riscv64', '-M', 'virt', '-cpu', 'rv64']),
          'arm64': ('ttyAMA0', ['qemu-system-aarch64', '-M', 'virt,gic-version=3', '-cpu', 'cortex-a57'])}


def run(command, limit):
    """Requests a second of each job."""
    rates = {}
    process = subprocess.Popen(['timeout', str(limit), *command], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tail = []
    for raw in process.stdout:
        words = raw.decode('latin1').split()
        tail = (tail + [' '.join(words)])[-12:]
        if len(words) == 7 and words[0] == 'D':
            rates[':'.join(words[1:4])] = float(words[5])
        if '@done' in words:
            break
    process.terminate()
    process.communicate()
    if set(rates) != set(JOBS):
        sys.exit('guest-block: the guest did not do its work:\n' + '\n'.join(tail))
    return rates


def goes_to_device(case, job):
    """Does each request wait for the device, with none beside it?"""
    _, cache, _ = case.split('/')
    way, _, depth = job.split(':')
    return depth == '1' and (cache in ('none', 'directsync') or (cache == 'writethrough' and way[1] == 'w'))


def device_seconds(folder, case, job, seconds):
    """What the host takes for a request of this kind, at a random place of the plain disk, in the same mode."""
    _, cache, _ = case.split('/')
    way, size, _ = job.split(':')
    piece = mmap.mmap(-1, int(size))
    fd = os.open(os.path.join(folder, 'raw'), os.O_RDWR | (os.O_DIRECT if cache in ('none', 'directsync') else 0))
    flags = os.RWF_DSYNC if way[1] == 'w' and cache in ('writethrough', 'directsync') else 0
    done, start = 0, time.monotonic()
    while time.monotonic() < start + seconds:
        at = random.randrange(SIZE // int(size)) * int(size)
        if way[1] == 'r':
            os.preadv(fd, [piece], at)
        else:
            os.pwritev(fd, [piece], at, flags)
        done += 1
    took = (time.monotonic() - start) / done
    os.close(fd)
    return took


def verdict(rates, ratio, device):
    """What is said of a case: nothing, or why it is below the goal. `device`: seconds of it; None: it has no part."""
    if ratio >= GOAL:
        return ''
    if device is None:
        return f'   below {GOAL}'
    ours, theirs = (1 / rate - device for rate in rates)
    share = f'   the device alone takes {device * 1e6:.0f} us of {1e6 / rates[0]:.0f}'
    if theirs <= 0 or ours <= 0:
        return share + ': it is the limit'
    return share + f': at most x{1 / rates[1] / device:.2f}, and x{theirs / ours:.2f} of what is left'


def commands(options, case, disk, line):
    form, cache, engine = case.split('/')
    _, peer = GUESTS[options.guest]
    machine = os.path.join(os.path.dirname(os.path.abspath(__file__)), f'{options.guest}.yaml')
    drive = f'{{file: {disk}, format: {form}, cache: {cache}, aio: {engine}}}'
    lathe = [options.lathe, 'run', machine, '--set', f'boot.cmdline={line}', '--set', f'drives={{disk: {drive}}}']
    qemu = [*peer, '-accel', 'tcg', '-smp', '1', '-m', '512', '-nographic', '-no-reboot', '-nodefaults',
            '-serial', 'stdio', '-monitor', 'none', '-kernel', f'{options.files}/Image',
            '-initrd', f'{options.files}/bench.gz', '-append', line,
            '-drive', f'file={disk},format={form},if=none,id=d,cache={cache},aio={engine}',
            '-device', 'virtio-blk-device,drive=d', '-global', 'virtio-mmio.force-legacy=false']
    return lathe, qemu


def make_disk(folder, form):
    raw, path = os.path.join(folder, 'raw'), os.path.join(folder, form)
    if not os.path.exists(raw):
        with open(raw, 'wb') as out:
            for _ in range(SIZE >> 20):
                out.write(os.urandom(1 << 20))
    if not os.path.exists(path):
        subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', form, raw, path], check=True)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--lathe', required=True)
    parser.add_argument('--guest', choices=GUESTS, required=True)
    parser.add_argument('--files', required=True, help="the folder of the guest's kernel and initramfs")
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--ms', type=int, default=500)
    parser.add_argument('patterns', nargs='*')
    options = parser.parse_args()
    console, _ = GUESTS[options.guest]
    line = f'console={console} lathe.do=blk blk.ms={options.ms}'
    ratios = []
    with tempfile.TemporaryDirectory(dir=os.environ.get('TMPDIR', '/var/tmp')) as folder:
        for case in (c for c in CASES if all(re.search(p, c) for p in options.patterns)):
            pair = commands(options, case, make_disk(folder, case.split('/')[0]), line)
            rounds, alone = [], {}
            for _ in range(options.rounds):
                ours = run(pair[0], 120)
                for job in (j for j in JOBS if goes_to_device(case, j)):
                    alone.setdefault(job, []).append(device_seconds(folder, case, job, options.ms / 1000))
                rounds.append([ours, run(pair[1], 120)])
            for job in JOBS:
                rates = [max(r[i][job] for r in rounds) for i in range(2)]
                ratio = rates[0] / rates[1]
                device = min(alone[job]) if job in alone else None
                ratios.append(ratio)
                print(f'{case:26} {job:12} {rates[0]:9.0f}/s against {rates[1]:9.0f}  x{ratio:5.2f}'
                      f'{verdict(rates, ratio, device)}', flush=True)
    if ratios:
        print(f'geomean of {len(ratios)}: {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}')


main()

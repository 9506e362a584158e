#!/usr/bin/env python3
"""What reading a machine costs: language.py PROGRAM. CPU time and memory are those of the whole process.

Nothing here passes or fails; the goals are what the project asks of itself.
"""
import os
import statistics
import sys
import tempfile

HEAD = 'lathe: machine/v1\nname: m\nboard: arm-virt@1\nmemory: 1GiB\ncpus: { model: cortex-a57, count: 2 }\n'
DRIVE = '  d%d:\n    size: 1MiB   # scratch\n    cache: writeback\n    serial: disk%d\n    throttle: { iops-total: 1000 }\n'
TEST = ('  t%d:\n    doc: One of many.\n    timeout: 60s\n    steps:\n      - expect: "login: $"\n'
        '      - run: make -C /src check N=%d   # as in CI\n')


def machine(folder, lines, drives):
    """A machine of so many lines: drives, and tests for the rest. Its path and size."""
    head = HEAD + ('drives:\n' if drives else '') + ''.join(DRIVE % (i, i) for i in range(drives)) + 'tests:\n'
    tests, rest = divmod(lines - head.count('\n'), TEST.count('\n'))
    text = head + ''.join(TEST % (i, i) for i in range(tests)) + '# the end\n' * rest
    path = os.path.join(folder, f'{lines}.yaml')
    with open(path, 'w') as file:
        file.write(text)
    return path, len(text)


def cost(command):
    """Seconds of CPU, and KiB that were resident."""
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f'{" ".join(command)} failed')
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def main():
    lathe = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        small, _ = machine(folder, 200, 12)
        times = [(cost([lathe, 'validate', small])[0], cost([lathe, 'version'])[0]) for _ in range(41)]
        whole, start = (statistics.median(column) * 1e3 for column in zip(*times))
        print(f'validate, 200 lines with the board, ms {whole:7.1f} of which {start:.1f} are the process\'s start   (goal 8)')
        sizes = {lines: machine(folder, lines, 0) for lines in (25000, 50000, 100000)}
        costs = {lines: min(cost([lathe, 'validate', path]) for _ in range(5)) for lines, (path, _) in sizes.items()}
        print(f'validate, 50,000 lines, s              {costs[50000][0]:7.2f}   (goal 0.5)')
        print(f'four times the lines, times as long    {costs[100000][0] / costs[25000][0]:7.1f}   (goal 4)')
        print(f'memory over the text, 50,000 lines     {costs[50000][1] * 1024 / sizes[50000][1]:7.1f}   (goal 20)')


main()

#!/usr/bin/env python3
"""Requests to disk images without a guest: `lathe img bench` beside `qemu-img bench`, in one run.

   python3 tests/bench/block.py [--lathe build/lathe] [--count N] [--rounds N] [PATTERN...]

For each format, cache mode, engine and direction: requests a second, and processor time of a request,
of the best of some rounds that alternate. Only cases that match all patterns are run
("raw/none/io_uring/read"). Exit status: 1 when lathe is slower than 0.95 of its peer, or takes more than
0.8 of its processor time, anywhere.
"""
import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

FORMATS = ["raw", "qcow2"]
MODES = {"writeback": "threads io_uring", "none": "threads native io_uring", "writethrough": "threads io_uring",
         "directsync": "threads native io_uring", "unsafe": "threads io_uring"}
SIZE = 256 << 20


def measure(command):
    """Seconds that passed, and seconds of processor time."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (time.monotonic() - start,
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def best(commands, rounds):
    """The least of each, for each command; they take turns."""
    results = [[measure(command) for command in commands] for _ in range(rounds)]
    return [tuple(min(row[i][j] for row in results) for j in range(2)) for i in range(len(commands))]


def cases(patterns):
    for form in FORMATS:
        for mode, engines in MODES.items():
            for engine in engines.split():
                for way in "read", "write":
                    name = f"{form}/{mode}/{engine}/{way}"
                    if all(re.search(p, name) for p in patterns):
                        yield name, form, mode, engine, way


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lathe", default="build/lathe")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("patterns", nargs="*")
    args = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        files = {form: os.path.join(folder, form) for form in FORMATS}
        with open(files["raw"], "wb") as out:
            for _ in range(SIZE >> 20):
                out.write(os.urandom(1 << 20))
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", files["raw"], files["qcow2"]], check=True)
        for name, form, mode, engine, way in cases(args.patterns):
            synced = way == "write" and mode in ("writethrough", "directsync")
            count = args.count // 10 if synced else args.count
            common = ["-f", form, "-d", "64", "-s", "4k", "-t", mode, "-i", engine]
            common += ["-w"] if way == "write" else []
            ours, theirs = best([[args.lathe, "img", "bench", "-n", str(count), *common, files[form]],
                                 ["qemu-img", "bench", "-c", str(count), *common, files[form]]], args.rounds)
            speed, cost = theirs[0] / ours[0], ours[1] / max(theirs[1], 1e-6)
            wrong = speed < 0.95 or cost > 0.8
            bad += wrong
            print(f"{name:32s} {count / ours[0]:9.0f}/s x{speed:5.2f}   {ours[1] / count * 1e6:6.2f} us "
                  f"x{cost:4.2f}{'   <- misses the mark' if wrong else ''}", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

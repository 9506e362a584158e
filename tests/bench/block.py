#!/usr/bin/env python3
"""Requests to disk images without a guest: `lathe img bench` beside `qemu-img bench`, in one run.

   python3 tests/bench/block.py [--lathe build/lathe] [--count N] [--rounds N] [PATTERN...]

For each format (one that lathe only reads is only read), cache mode, engine and direction: requests a
second, and processor time of a request, of the best of some rounds that alternate. Only cases that match
all patterns are run ("raw/none/io_uring/read"). Exit status: 1 when lathe is slower than 0.95 of its peer,
or takes more than 0.8 of its processor time, anywhere.

"convert/..." are conversions of a sparse disk of 4 GiB, by the time that passes; compressing ones of text.
Both flush what they wrote before they end (-t writeback, and none, which is by O_DIRECT), or neither does
(-t unsafe). The marks: 1.2 times the speed of qemu-img, 1.5 times when compressing; 0.95 to and from luks.

"open/..." is `lathe img info` of the top of 1000 layers, and of 1 TiB: at most 20 ms, whatever the peer takes.
"""
import argparse
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time

import images

MODES = {"writeback": "threads io_uring", "none": "threads native io_uring", "writethrough": "threads io_uring",
         "directsync": "threads native io_uring", "unsafe": "threads io_uring"}
SIZE = 256 << 20
OPEN_MOST = 0.020               # seconds
PACKED_SIZE = 32 << 20          # of the disk in images of formats that are compressed


def measure(command, out):
    """Seconds that passed, and seconds of processor time. Nothing that was written before is still on its way."""
    if out:
        if os.path.exists(out):
            os.unlink(out)
        os.sync()
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (time.monotonic() - start,
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def best(commands, rounds, out=None):
    """The least of each, for each command; they take turns, and make the file `out` anew."""
    results = [[measure(command, out) for command in commands] for _ in range(rounds)]
    return [tuple(min(row[i][j] for row in results) for j in range(2)) for i in range(len(commands))]


def sparse_disk(path):
    """4 GiB, an eighth of it data in pieces of 2 MiB, half of which is zeroes that were written."""
    rand = random.Random(1)
    with open(path, "wb") as out:
        out.truncate(4 << 30)
        for _ in range(256):
            out.seek(rand.randrange(0, (4 << 30) - (2 << 20), 4096))
            out.write(rand.randbytes(1 << 20) + bytes(1 << 20))


def text_disk(path):
    """Words in no order: what compresses to a half, as much else does."""
    rand = random.Random(2)
    words = [bytes(rand.choices(b"abcdefghijklmnopqrstuvwxyz", k=rand.randint(2, 9))) for _ in range(3000)]
    with open(path, "wb") as out:
        for _ in range(48):
            out.write(b" ".join(rand.choices(words, k=200000))[:1 << 20])


def encrypted(folder, plain):
    """To and from luks, for which `qemu-img bench` takes no key. The key's derivation is short: it is not meant."""
    key, image = os.path.join(folder, "key"), os.path.join(folder, "luks")
    secret = ["--object", f"secret,id=key,file={key}", "-t", "unsafe"]
    with open(key, "w", encoding="ascii") as out:
        out.write("a key for the bench")
    make = [*secret, "-f", "raw", "-O", "luks", "-o", "key-secret=key,iter-time=10", plain]
    subprocess.run(["qemu-img", "convert", *make, image], check=True)
    yield ("convert/raw-luks/unsafe", 0.95, make,
           ["--new-key-file", key, "-t", "unsafe", "-f", "raw", "-O", "luks", "-o", "iter-time=10", plain])
    yield ("convert/luks-raw/unsafe", 0.95,
           [*secret, "-O", "raw", "--image-opts",
            f"driver=luks,key-secret=key,file.driver=file,file.filename={image}"],
           ["--key-file", key, "-t", "unsafe", "-f", "luks", "-O", "raw", image])


def conversions(folder):
    """Name, mark, operands of the peer, and those of lathe where they differ."""
    sparse, text, packed = (os.path.join(folder, name) for name in ("sparse", "text", "sparse.qcow2"))
    sparse_disk(sparse)
    text_disk(text)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", sparse, packed], check=True)
    for mode in "writeback", "none", "unsafe":
        yield f"convert/raw-qcow2/{mode}", 1.2, ["-t", mode, "-f", "raw", "-O", "qcow2", sparse], None
        yield f"convert/qcow2-raw/{mode}", 1.2, ["-t", mode, "-f", "qcow2", "-O", "raw", packed], None
    for kind in "zlib", "zstd":
        yield f"convert/packed/{kind}", 1.5, ["-t", "unsafe", "-c", "-f", "raw", "-O", "qcow2", "-o",
                                              f"compression_type={kind}", text], None
    yield from encrypted(folder, text)


def run_conversions(args, folder):
    bad = 0
    out = os.path.join(folder, "out")
    if not all(re.search(p, "convert/raw-qcow2/qcow2-raw/packed/writeback/none/unsafe/zlib/zstd/raw-luks/luks-raw")
               for p in args.patterns):
        return 0
    for name, mark, theirs, ours in conversions(folder):
        if not all(re.search(p, name) for p in args.patterns):
            continue
        ours, theirs = best([[args.lathe, "img", "convert", "-q", *(ours or theirs), out],
                             ["qemu-img", "convert", *theirs, out]], args.rounds, out)
        speed, cost = theirs[0] / ours[0], ours[1] / max(theirs[1], 1e-6)
        bad += speed < mark
        print(f"{name:32s} {ours[0]:9.2f} s x{speed:5.2f}   {ours[1]:6.2f} s  x{cost:4.2f}"
              f"{'   <- misses the mark' if speed < mark else ''}", flush=True)
    return bad


def run_openings(args, folder):
    bad = 0
    for name, make in (("open/chain", lambda: images.chain(folder, 1000)), ("open/huge", lambda: images.huge(folder))):
        if all(re.search(p, name) for p in args.patterns):
            took, = best([[args.lathe, "img", "info", make()]], args.rounds * 4)
            bad += took[0] > OPEN_MOST
            print(f"{name:32s} {took[0] * 1e3:9.1f} ms          {took[1] * 1e3:6.2f} ms"
                  f"{'   <- misses the mark' if took[0] > OPEN_MOST else ''}", flush=True)
    return bad


def cases(patterns):
    for form in images.WRITTEN + images.READ:
        for mode, engines in MODES.items():
            for engine in engines.split():
                for way in ("read", "write") if form in images.WRITTEN else ("read",):
                    name = f"{form}/{mode}/{engine}/{way}"
                    if all(re.search(p, name) for p in patterns):
                        yield name, form, mode, engine, way


def random_disk(path, size):
    """Nothing of it is zeroes or can be compressed, though every other block repeats the one before it."""
    with open(path, "wb") as out:
        for _ in range(size >> 20):
            piece = os.urandom(1 << 19)
            out.write(b"".join(piece[at:at + 4096] * 2 for at in range(0, len(piece), 4096)))


def run_case(args, folder, name, form, mode, engine, way):
    """True when it is below a mark."""
    raw = os.path.join(folder, "small" if form in images.READ else "raw")
    if not os.path.exists(raw):
        random_disk(raw, PACKED_SIZE if form in images.READ else SIZE)
    path = images.make(folder, form, raw)
    count = args.count
    if way == "write" and mode in ("writethrough", "directsync"):
        count //= 10
    elif form in ("cloop", "dmg"):
        count //= 4             # a request may mean a whole block to unpack
    common = ["-f", form, "-d", "64", "-s", "4k", "-t", mode, "-i", engine]
    common += ["-w"] if way == "write" else []
    ours, theirs = best([[args.lathe, "img", "bench", "-n", str(count), *common, path],
                         ["qemu-img", "bench", "-c", str(count), *common, path]], args.rounds)
    speed, cost = theirs[0] / ours[0], ours[1] / max(theirs[1], 1e-6)
    wrong = speed < 0.95 or cost > 0.8
    print(f"{name:32s} {count / ours[0]:9.0f}/s x{speed:5.2f}   {ours[1] / count * 1e6:6.2f} us "
          f"x{cost:4.2f}{'   <- misses the mark' if wrong else ''}", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lathe", default="build/lathe")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("patterns", nargs="*")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        bad = sum(run_case(args, folder, *case) for case in cases(args.patterns))
        bad += run_conversions(args, folder) + run_openings(args, folder)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The way back, by QEMU's own judgement: are the drives of to-qemu(translate(LINE)) those of LINE?

usage: back.py LINES.tsv ORACLE.py [EVERY]      LINES.expected.jsonl is beside it; every Nth line is asked
"""
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile

from ask import load, without

LATHE = os.environ.get("LATHE", "build/lathe")
TRIES = 3  # a busy host lets QEMU start late
# Made from what only stands in the first line: the names of nodes, sizes of made files, the oracle's guesses.
LOOSE = ("node_name", "io_status", "image_sizes")


def drives(answer):
    kept = [{k: v for k, v in without(d).items() if k not in LOOSE} for d in answer["drives"]]
    return sorted(json.dumps(d, sort_keys=True) for d in kept)


def back(job):
    path, columns, expected = job
    with tempfile.TemporaryDirectory() as folder:
        files = json.loads(columns[3]) if len(columns) > 3 and columns[3] else {}
        for name, text in files.items():
            open(os.path.join(folder, name), "w").write(text)
        lathe = os.path.abspath(LATHE)
        yaml = subprocess.run([lathe, "translate", "qemu"], input=columns[1], cwd=folder, text=True, capture_output=True)
        open(os.path.join(folder, "m.yaml"), "w").write(yaml.stdout)
        line = subprocess.run([lathe, "translate", "to-qemu", "m.yaml"], cwd=folder, text=True, capture_output=True).stdout.strip()
    if not line:
        return columns[0], "no line", columns[1], yaml.stderr
    oracle = load(path)
    oracle.NICE = 0
    answer = None
    for _ in range(TRIES):
        try:
            answer = oracle.Run(line, files).run()
            break
        except (OSError, subprocess.TimeoutExpired):
            pass
    if not answer:
        return columns[0], "no answer", columns[1], line
    if not answer["ok"]:
        return columns[0], answer["error"]["message"], columns[1], line
    there, again = drives(expected), drives(answer)
    return (columns[0], "", "", "") if there == again else (
        columns[0], "other drives", columns[1], line + "\n" + "\n".join(sorted(set(there) ^ set(again))))


def main():
    tsv, oracle, every = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1
    lines = [l.split("\t") for l in open(tsv).read().splitlines() if l]
    answers = [json.loads(l) for l in open(tsv[:-len(".tsv")] + ".expected.jsonl")]
    jobs = [(oracle, c, a) for c, a in zip(lines, answers) if a["ok"]][::every]
    same = 0
    with multiprocessing.Pool(int(os.environ.get("JOBS", "3"))) as pool:
        for name, what, first, second in pool.imap(back, jobs):
            same += not what
            if what:
                print("%s: %s\n  %s\n  %s" % (name, what, first, second), flush=True)
    print("%d of %d lines: the same drives on the way back" % (same, len(jobs)))


if __name__ == "__main__":
    main()

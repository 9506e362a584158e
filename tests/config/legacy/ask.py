#!/usr/bin/env python3
"""Asks QEMU, by way of the drive oracle, what it makes of each line of a .tsv.

usage: ask.py LINES.tsv [ORACLE.py]          writes LINES.expected.jsonl beside it, of what is compared

Lines that have an answer already are not asked again, so that it can be stopped and go on.
"""
import importlib.util
import json
import multiprocessing
import os
import sys

ORACLE = "../shared/tools/drive-oracle.py"
# What the comparison of corpus.c does not read, and what differs from run to run.
UNREAD = ("path", "warnings", "pci", "rewrites", "stdout", "stderr_other", "nodes", "virtual_size")


def load(path):
    spec = importlib.util.spec_from_file_location("oracle", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def without(tree):
    if isinstance(tree, dict):
        return {k: without(v) for k, v in tree.items() if k not in UNREAD}
    if isinstance(tree, list):
        return [without(v) for v in tree]
    return tree


def ask(job):
    path, columns = job
    oracle = load(path)
    oracle.NICE = 0  # this process is, if anybody wants it
    files = json.loads(columns[3]) if len(columns) > 3 and columns[3] else None
    try:
        answer = oracle.Run(columns[1], files).run()
        if not answer["ok"] and (answer.get("error", {}).get("message") == "timeout"):
            answer = oracle.Run(columns[1], files).run()
    except Exception as failure:
        answer = {"ok": False, "oracle_failed": repr(failure), "error": {"message": repr(failure)}}
    answer.get("error", {}).pop("stderr", None)
    return json.dumps({"id": columns[0], "cmd": columns[1], **without(answer)}, sort_keys=True)


def main():
    tsv, oracle = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ORACLE
    out = tsv[:-len(".tsv")] + ".expected.jsonl"
    lines = [l.split("\t") for l in open(tsv).read().splitlines() if l and not l.startswith("#")]
    done = len(open(out).readlines()) if os.path.exists(out) else 0
    with multiprocessing.Pool(int(os.environ.get("JOBS", "3"))) as pool, open(out, "a") as f:
        for answer in pool.imap(ask, [(oracle, c) for c in lines[done:]]):
            f.write(answer + "\n")
            f.flush()


if __name__ == "__main__":
    main()

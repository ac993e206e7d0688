# SPDX-License-Identifier: MIT OR Apache-2.0

"""Adds up what llvm-cov exported: each branch by its place in the source, whatever it was compiled into."""

import json
import sys
from collections import defaultdict

LEAST = 95.0  # percent


def branches(files):
    """(times taken, times not taken) by file and place."""
    taken = defaultdict(lambda: [0, 0])
    for name in files:
        with open(name, encoding="utf-8") as file:
            for entry in json.load(file)["data"][0]["files"]:
                if "/inbound/model" in entry["filename"]:
                    continue
                for branch in entry["branches"]:
                    count = taken[entry["filename"], tuple(branch[:4])]
                    count[0] += branch[4]
                    count[1] += branch[5]
    return taken


def reasons(path):
    """Lines of `file | code | reason`; the code stands in the branch's own line."""
    with open(path, encoding="utf-8") as file:
        lines = [line.split(" | ", 2) for line in file if line.strip() and not line.startswith("#")]
    return [(name.strip(), code.strip(), reason.strip()) for name, code, reason in lines]


def main(files):
    known = reasons("ci/coverage-gaps.txt")
    gone = []
    for name, code, _ in known:
        with open(f"crates/ringback/src/{name}", encoding="utf-8") as file:
            if code not in file.read():
                gone.append(f"{name}: {code}")
    per_file, gaps = defaultdict(lambda: [0, 0]), []
    for (path, place), counts in sorted(branches(files).items()):
        name = path.split("/src/")[-1]
        per_file[name][0] += sum(count > 0 for count in counts)
        per_file[name][1] += 2
        with open(path, encoding="utf-8") as file:
            code = file.read().splitlines()[place[0] - 1].strip()
        for way, count in zip(("true", "false"), counts):
            if count == 0:
                why = [reason for where, part, reason in known if where == name and part in code]
                gaps.append((f"{name}:{place[0]}:{place[1]}", way, code, why[0] if why else None))
    assert per_file, "no branches were measured"
    for name, (covered, count) in sorted(per_file.items(), key=lambda row: row[1][0] / row[1][1]):
        print(f"{name:32} {covered:4} of {count:4} branches  {100 * covered / count:5.1f} %")
    for place, way, code, why in gaps:
        print(f"never {way}: {place}: {code}\n    {why or 'NO REASON IS GIVEN in ci/coverage-gaps.txt'}")
    covered, count = (sum(row[i] for row in per_file.values()) for i in (0, 1))
    percent = 100 * covered / count
    for line in gone:
        print(f"ci/coverage-gaps.txt has a reason for code that is not there any more: {line}")
    print(f"figure coverage.core_branches_percent {percent:.1f}")
    return bool(gone) or percent < LEAST or any(why is None for *_, why in gaps)


sys.exit(main(sys.argv[1:]))

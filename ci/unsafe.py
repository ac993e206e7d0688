#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0

"""SAFETY.md's table names every file with unsafe code, itself or by its folder, and nothing that has none."""

import re
import subprocess
import sys

ROOT = "crates/ringback/src/"
# What a program of a user is built of. Models, tests and benches are foreign code themselves.
WHERE = ["crates/*/src/", "bindings/c/src/", "bindings/csharp/gate/src/", "integrations/*/src/", "tools/*/src/",
         "tools/macrobox/server/", "tools/macrobox/tap/"]
NOT = re.compile(r"crates/ringback-(bare|examples|fuzz|life)/|/model(\.rs|/)|/tests\.rs$")

# Comments, raw strings, strings, characters.
NO_CODE = re.compile(r"""//[^\n]*|\br(#*)".*?"\1|"(\\.|[^"\\])*"|'(\\.|[^'\\])'""", re.DOTALL)


def has_unsafe(path):
    with open(path, encoding="utf-8") as file:
        code = NO_CODE.sub("", file.read())
    return re.search(r"\bunsafe\b", code)


def main():
    with open("SAFETY.md", encoding="utf-8") as file:
        table = file.read().split("## Files with unsafe code")[1].split("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE) for name in re.findall("`([^`]*)`", row)}
    globs = [f":(glob){where}**/*.rs" for where in WHERE]
    listed = subprocess.run(["git", "ls-files", *globs], check=True, capture_output=True, text=True).stdout.split()
    files = [path for path in listed if not NOT.search(path) and has_unsafe(path)]
    if not named or not files:
        sys.exit("SAFETY.md: no table, or no file with unsafe code")
    used = set()
    wrong = []
    for path in files:
        ways = {name for name in named for full in (name, ROOT + name) if path == full or path.startswith(full + "/")}
        used |= ways
        if not ways:
            wrong.append(f"{path.removeprefix(ROOT)}: unsafe code, and SAFETY.md's table does not name it")
    wrong += [f"{name}: in SAFETY.md's table, and has no unsafe code" for name in sorted(named - used)]
    print("\n".join(wrong) or f"{len(files)} files with unsafe code, each named in SAFETY.md")
    return bool(wrong)


sys.exit(main())

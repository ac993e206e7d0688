#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Each source file says its licence in its first lines, so that it can be told when it is alone.

ci/spdx.py            names the files that do not, and fails
ci/spdx.py --write    adds the line to them
"""

import pathlib
import subprocess
import sys

LINE = "SPDX-License-Identifier: MIT OR Apache-2.0"
COMMENTS = {"c": "//", "cpp": "//", "cs": "//", "h": "//", "hpp": "//", "rs": "//", "S": "//", "py": "#", "sh": "#"}
# Not there, and why.
LEFT_OUT = {
    "crates/ringback-hook/tests/expansions/": "its test writes them",
    "crates/ringback/tests/ui/": "the expected messages count its lines",
    "tools/macrobox/zoo/": "tests and tables name its lines",
}


def with_line(text, comment):
    """The text with the line, after the `#!` if there is one, and apart from the first comment."""
    first, rest = "", text
    if text.startswith("#!") and not text.startswith("#!["):
        first, _, rest = text.partition("\n")
        first += "\n"
    apart = f"{comment}\n" if comment == "#" and rest.startswith("#") else "\n"
    return f"{first}{comment} {LINE}\n{apart if rest.strip() else ''}{rest}"


def main():
    write = sys.argv[1:] == ["--write"]
    if sys.argv[1:] and not write:
        sys.exit("usage: ci/spdx.py [--write]")
    tracked = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    seen, without = 0, []
    for name in filter(None, tracked.split("\0")):
        path = pathlib.Path(name)
        comment = COMMENTS.get(path.suffix[1:])
        if not path.suffix and path.is_file() and path.read_bytes().startswith(b"#!"):
            comment = "#"  # a script without an ending
        if not comment or name.startswith(tuple(LEFT_OUT)):
            continue
        seen += 1
        text = path.read_text(encoding="utf-8-sig")
        if any(LINE in line for line in text.split("\n")[:3]):
            continue
        without.append(name)
        if write:
            path.write_text(with_line(text, comment), encoding="utf-8")
    if write:
        print(f"{len(without)} of {seen} source files have got the line")
    elif without or not seen:
        sys.exit("\n".join(["without their licence; ci/spdx.py --write adds it:", *without]))


main()

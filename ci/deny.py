#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a workspace may depend on, by its deny.toml: licences, duplicate versions, wildcards, sources.

ci/deny.py FOLDER     names what is not allowed, and fails

It reads the part of cargo-deny's format that is used here and refuses any other, so that both say the
same of one file; this one needs no minutes of building.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib

# What it knows, with the value that it acts by where there is one.
KNOWN = {
    "graph": {"targets": None, "exclude-dev": True},
    "licenses": {"allow": None, "exceptions": None, "unused-allowed-license": "deny"},
    "bans": {"multiple-versions": "deny", "wildcards": "deny", "skip": None, "skip-tree": None},
    "sources": {"unknown-registry": "deny", "unknown-git": "deny"},
}
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def cargo_metadata(manifest, target):
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    run = subprocess.run([*command, "--manifest-path", manifest], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout)


def reached(nodes, roots, stop=()):
    """The ids that are reached by normal and build dependencies, but not through `stop`."""
    seen, todo = set(), list(roots)
    while todo:
        at = todo.pop()
        if at in seen or at in stop:
            continue
        seen.add(at)
        for dep in nodes[at]["deps"]:
            if any(kind["kind"] != "dev" for kind in dep["dep_kinds"]):
                todo.append(dep["pkg"])
    return seen


def allows(expression, allowed):
    """Whether an SPDX expression is met by these licences, and which of them it takes."""
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def any_of():
        best = all_of()
        while words and words[0] == "OR":
            words.pop(0)
            other = all_of()
            best = other if best is None else best
        return best

    def all_of():
        taken = one()
        while words and words[0] == "AND":
            words.pop(0)
            other = one()
            taken = None if taken is None or other is None else taken | other
        return taken

    def one():
        word = words.pop(0)
        if word == "(":
            inner = any_of()
            words.pop(0)
            return inner
        if words and words[0] == "WITH":
            word = " ".join([word, words.pop(0), words.pop(0)])
        return {word} if word in allowed else None

    return any_of()


def matches(package, spec):
    name, _, version = spec.partition("@")
    return package["name"] == name and (package["version"] + ".").startswith(version + "." if version else "")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: ci/deny.py FOLDER")
    folder = pathlib.Path(sys.argv[1])
    policy = tomllib.loads((folder / "deny.toml").read_text())
    for table, settings in policy.items():
        for key, value in settings.items():
            if KNOWN.get(table, {}).get(key, "unknown") not in (None, value):
                sys.exit(f"{folder}/deny.toml: not known to ci/deny.py: [{table}] {key} = {value!r}")
    licenses, bans = policy["licenses"], policy["bans"]
    wrong, taken, used, count = [], set(), set(), 0
    for target in policy["graph"]["targets"]:
        data = cargo_metadata(folder / "Cargo.toml", target)
        packages = {package["id"]: package for package in data["packages"]}
        nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
        roots = data["workspace_members"]

        def named(entries):
            found = set()
            for entry in entries:
                ids = {key for key, package in packages.items() if matches(package, entry["crate"])}
                if ids:
                    used.add(entry["crate"])
                found |= ids
            return found

        everything = reached(nodes, roots)
        count = max(count, len(everything))
        for key in everything:
            package = packages[key]
            own = {word for entry in licenses["exceptions"] if matches(package, entry["crate"]) for word in entry["allow"]}
            by = allows(package["license"] or "none", set(licenses["allow"]) | own)
            if by is None:
                wrong.append(f"{package['name']} {package['version']}: its licence is not allowed: {package['license']}")
            else:
                taken |= by
                used |= {entry["crate"] for entry in licenses["exceptions"] if matches(package, entry["crate"])}
            if package["source"] not in (None, CRATES_IO):
                wrong.append(f"{package['name']}: not from crates.io: {package['source']}")
            if package["source"] is None:
                for dep in package["dependencies"]:
                    if dep["req"] == "*" and dep["kind"] != "dev":
                        wrong.append(f"{package['name']}: wants any version of {dep['name']}")
        versions = {}
        for key in reached(nodes, roots, stop=named(bans["skip-tree"])) - named(bans["skip"]):
            versions.setdefault(packages[key]["name"], set()).add(packages[key]["version"])
        wrong += [f"{name}: in {len(all_of)} versions: {', '.join(sorted(all_of))}"
                  for name, all_of in versions.items() if len(all_of) > 1]
    entries = [*licenses["exceptions"], *bans["skip"], *bans["skip-tree"]]
    wrong += [f"{entry['crate']}: named in deny.toml, not needed" for entry in entries if entry["crate"] not in used]
    wrong += [f"{name}: allowed in deny.toml, not needed" for name in licenses["allow"] if name not in taken]
    if wrong or count < 2:
        sys.exit("\n".join(sorted(set(wrong)) or ["cargo metadata named nothing"]))
    print(f"{folder}: {count} crates, as its deny.toml allows")


main()

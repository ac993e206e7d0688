# SPDX-License-Identifier: MIT OR Apache-2.0
"""cargo's metadata, on stdin, to a CycloneDX bill of materials; see ci/sbom.sh.

Nothing in it changes by itself: no time, no serial number, everything sorted.
"""

import json
import os
import re
import subprocess
import sys

folder, libraries, built, run = sys.argv[1:5]
metadata = json.load(sys.stdin)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
root = metadata["resolve"]["root"]


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def chosen(tree):
    """The packages in what `cargo tree` printed: it leaves out tests and what only they switch on."""
    lines = {tuple(line.split()[:2]) for line in tree.splitlines()}
    of = lambda package: (package["name"], "v" + package["version"])
    return {number for number, package in packages.items() if of(package) in lines}


built, run = chosen(built), chosen(run)


def needed(package):
    """The packages that one needs, in a program or to build it."""
    for dependency in nodes[package]["deps"]:
        kinds = {kind["kind"] for kind in dependency["dep_kinds"]}
        if kinds & {None, "build"} and dependency["pkg"] in built:
            yield dependency["pkg"]


def checksums():
    """By name and version, from the lockfile."""
    with open(os.path.join(folder, "Cargo.lock"), encoding="utf-8") as lock:
        entries = lock.read().split("[[package]]")[1:]
    field = lambda entry, name: (re.search(rf'^{name} = "(.*)"$', entry, re.M) or [None, None])[1]
    return {(field(e, "name"), field(e, "version")): field(e, "checksum") for e in entries}


def native():
    """What is loaded at run time; a version is only known where the library lies."""
    with open(os.path.join(folder, "native/cache-key"), encoding="utf-8") as key:
        vsomeip = key.read().split("-")[1]
    boost = None
    if libraries:
        library = os.path.realpath(os.path.join(libraries, "libvsomeip3.so.3"))
        vsomeip = library.split(".so.")[1]
        dynamic = subprocess.run(
            ["readelf", "-d", library], check=True, capture_output=True, text=True
        ).stdout
        boost = re.search(r"libboost_thread\.so\.([0-9.]+)", dynamic)
        boost = boost[1] if boost else sys.exit("this libvsomeip3 does not name its Boost")
    vsomeip = {
        "type": "library",
        "bom-ref": "native:vsomeip",
        "group": "COVESA",
        "name": "vsomeip",
        "version": vsomeip,
        "scope": "required",
        "licenses": [{"license": {"id": "MPL-2.0"}}],
        "purl": f"pkg:github/COVESA/vsomeip@{vsomeip}",
        "properties": [
            {"name": "ringback:files", "value": "libvsomeip3.so.3, libvsomeip3-cfg.so.3, libvsomeip3-sd.so.3"},
            {"name": "ringback:loaded", "value": "at run time, by dlopen"},
            {"name": "ringback:versions", "value": ">=3.4, of the minor version it was built for"},
        ],
    }
    boost = {
        "type": "library",
        "bom-ref": "native:boost",
        "name": "Boost",
        **({"version": boost} if boost else {}),
        "scope": "required",
        "licenses": [{"license": {"id": "BSL-1.0"}}],
        "purl": "pkg:github/boostorg/boost" + (f"@boost-{boost}" if boost else ""),
        "properties": [
            {"name": "ringback:files", "value": "libboost_thread, libboost_filesystem"},
            {"name": "ringback:loaded", "value": "by vsomeip"},
            {"name": "ringback:versions", "value": ">=1.66, that of the machine; see ci/sbom.sh --machine"},
        ],
    }
    return vsomeip, boost


def component(package, scope, checksum):
    entry = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "scope": scope,
    }
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    # Older crates write "MIT/Apache-2.0".
    entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    entry["purl"] = purl(package)
    return entry


sums = checksums()
components, edges = [], {}
for number in sorted(built, key=lambda number: purl(packages[number])):
    package = packages[number]
    edges[purl(package)] = sorted({purl(packages[other]) for other in needed(number)})
    if number != root:
        # "excluded": it takes part in the build and is not in the program.
        scope = "required" if number in run else "excluded"
        components.append(component(package, scope, sums[package["name"], package["version"]]))
vsomeip, boost = native()
components += [vsomeip, boost]
edges[purl(packages[root])].append(vsomeip["bom-ref"])
edges[vsomeip["bom-ref"]] = [boost["bom-ref"]]
edges[boost["bom-ref"]] = []

own = packages[root]
json.dump(
    {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": purl(own),
                "name": own["name"],
                "version": own["version"],
                "licenses": [{"expression": own["license"]}],
                "purl": purl(own),
            }
        },
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": on} for ref, on in edges.items()],
    },
    sys.stdout,
    indent=1,
)
print()

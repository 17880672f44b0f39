#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No two files call each other, not even by way of others: read from the symbols of what was built.

From the environment: SOURCE, BUILD (the top folders), NM, CC.  The same look at a tree made for the
purpose shows that it can fail.
"""
import collections
import os
import pathlib
import shlex
import subprocess
import tempfile

FOLDERS = ("base", "src", "plugins", "modules")


def objects(source, build):
    """Source file: an object made of it, for those that were built."""
    for folder in FOLDERS:
        for path in sorted((source / folder).rglob("*.c")):
            name = path.relative_to(source)
            places = [build / name.parent, build / name.parent / ".libs"]
            found = [object for place in places for pattern in (f"{path.stem}.o", f"*-{path.stem}.o")
                     for object in sorted(place.glob(pattern))]
            if found:
                yield name.as_posix(), found[0]


def world(name):
    """A plugin is a world of its own: two may use one name."""
    return "/".join(name.split("/")[:2]) if name.startswith("plugins/") else ""


def calls(source, build):
    """Caller: callee: names; data counts, too."""
    files = {str(object): name for name, object in objects(source, build)}
    listing = subprocess.run(shlex.split(os.environ.get("NM") or "nm") + ["-A", "-P", *files], check=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    defined, wanted = collections.defaultdict(set), collections.defaultdict(set)
    for line in listing.splitlines():
        object, symbol = line.split(": ", 1)
        symbol, kind = symbol.split()[:2]
        if kind == "U":
            wanted[files[object]].add(symbol)
        elif kind.isupper():
            defined[symbol].add(files[object])
    arrows = {name: collections.defaultdict(set) for name in files.values()}
    for caller, symbols in wanted.items():
        for symbol in symbols:
            for callee in defined[symbol]:
                if not world(caller) or world(callee) in ("", world(caller)):
                    arrows[caller][callee].add(symbol)
    return arrows


def circles(arrows):
    done = set()

    def walk(name, way):
        if name in way:
            yield way[way.index(name):] + [name]
        elif name not in done:
            for callee in sorted(arrows[name]):
                yield from walk(callee, way + [name])
            done.add(name)
    for name in sorted(arrows):
        yield from walk(name, [])


def look(source, build):
    """(whether any call was seen, the circles in words)"""
    arrows = calls(source, build)
    faults = [" > ".join(way) + ": " + ", ".join(sorted(arrows[a][b])[0] for a, b in zip(way, way[1:]))
              for way in circles(arrows)]
    return any(arrows.values()), faults


def broken_tree(folder):
    for name, other in ("one", "two"), ("two", "three"), ("three", "one"):
        path = folder / "base" / f"{name}.c"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"int {other}(void);\nint {name}(void);\nint {name}(void) {{ return {other}(); }}\n")
        subprocess.run(shlex.split(os.environ.get("CC") or "cc") + ["-c", path, "-o", path.with_suffix(".o")], check=True)


def main():
    seen, faults = look(pathlib.Path(os.environ["SOURCE"]), pathlib.Path(os.environ["BUILD"]))
    print("1..2")
    skip = "" if seen else " # SKIP the objects have no symbols that nm knows"
    print(f"{'not ok' if faults else 'ok'} 1 - no two files call each other{skip}")
    for fault in faults:
        print("#", fault)
    with tempfile.TemporaryDirectory() as folder:
        broken_tree(pathlib.Path(folder))
        _, caught = look(pathlib.Path(folder), pathlib.Path(folder))
    print(f"{'ok' if len(caught) == 1 else 'not ok'} 2 - and a tree where three do is caught")


main()

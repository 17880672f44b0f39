#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads every #include by folder: they run down only, without circles, and a library's header is in one file.

From the environment: SOURCE (the top folder).  The same look at trees made for the purpose shows
that it can fail.
"""
import collections
import os
import re

import looks

# What stands higher may include what stands lower.  A folder not named here may include nothing.
FLOORS = ["base", "src/host", "src/figures", "src/members", "src/token", "src/settings", "src/api", "src/server"]
# Beside the floors: the folders that one may include besides itself.
ANNEXES = {
    "src/cli": FLOORS[:-1] + ["plugins/file"],
    "src/starter": FLOORS + ["plugins/sql"],
    "plugins/file": ["base"], "plugins/ldap": ["base"], "plugins/rest": ["base"],
    "plugins/sql": ["base"],
    "modules": ["base"],
}
# Headers that stand outside the order: what two sides agree on.
CONTRACTS = {"include/memberchat_store.h", "src/token/sign_module.h"}
# Third-party headers, each in the one file that knows the library.
LIBRARIES = {
    "fcgiapp.h": 1, "json-c/json.h": 1, "csv.h": 1, "cdb.h": 1, "curl/curl.h": 1, "ldap.h": 1, "iconv.h": 1, "sqlite3.h": 1,
    "mysql.h": 2, "libpq-fe.h": 1,
    "dlfcn.h": 1, "nettle/hmac.h": 1, "nettle/sha2.h": 1,
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def sources(top):
    for folder in ("base", "src", "plugins", "modules"):
        for path in sorted((top / folder).rglob("*.[ch]")):
            yield path.relative_to(top).as_posix(), path.read_text()


def find(top, including, name):
    """The file of ours that an #include means, or None."""
    for folder in (os.path.dirname(including), "src", "include", ""):
        path = os.path.normpath(os.path.join(folder, name))
        if (top / path).is_file():
            return path
    return None


def may_include(including, included):
    a, b = os.path.dirname(including), os.path.dirname(included)
    if a == b or included in CONTRACTS:
        return True
    if a in ANNEXES:
        return b in ANNEXES[a]
    return a in FLOORS and b in FLOORS and FLOORS.index(b) < FLOORS.index(a)


def faults_of_order(top):
    for path, text in sources(top):
        for mark, name in INCLUDE.findall(text):
            target = find(top, path, name) if mark == '"' else None
            if mark == '"' and target is None and not name.endswith(".inc"):  # made when it is built
                yield f"{path} includes {name}, which is not there"
            elif target and not may_include(path, target):
                yield f"{path} includes {target}, which does not stand below it"


def faults_of_circles(top):
    """Circles among headers, and among folders."""
    arrows = collections.defaultdict(set)
    for path, text in sources(top):
        for mark, name in INCLUDE.findall(text):
            target = find(top, path, name) if mark == '"' else None
            if target and path.endswith(".h"):
                arrows[path].add(target)
            if target and target not in CONTRACTS and os.path.dirname(path) != os.path.dirname(target):
                arrows[os.path.dirname(path)].add(os.path.dirname(target))
    done = set()

    def walk(node, way):
        if node in way:
            yield "circle: " + " > ".join(way[way.index(node):] + [node])
        elif node not in done:
            for target in sorted(arrows[node]):
                yield from walk(target, way + [node])
            done.add(node)
    for node in sorted(arrows):
        yield from walk(node, [])


def faults_of_libraries(top):
    users = collections.defaultdict(list)
    for path, text in sources(top):
        for mark, name in INCLUDE.findall(text):
            if mark == "<" and name in LIBRARIES:
                users[name].append(path)
    for name, paths in sorted(users.items()):
        if len(paths) > LIBRARIES[name]:
            yield f"<{name}> is in {len(paths)} files: {', '.join(paths)}"


LOOKS = [("includes run down only", faults_of_order), ("no circles", faults_of_circles),
         ("a library's header is in one file", faults_of_libraries)]
BROKEN = {
    "includes run down only": [{"base/a.c": '#include "host/b.h"\n', "src/host/b.h": ""}],
    "no circles": [{"base/a.h": '#include "b.h"\n', "base/b.h": '#include "a.h"\n'}],
    "a library's header is in one file": [
        {"base/a.c": "#include <json-c/json.h>\n", "base/b.c": "#include <json-c/json.h>\n"}],
}

looks.run(LOOKS, BROKEN)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds key tables, manual pages and the sample configuration against each other, both ways.

From the environment: SOURCE and BUILD (top folders), PLUGINS (the folder of the stores),
COMMAND (the memberchat command).
"""
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["SOURCE"])
BUILD = pathlib.Path(os.environ["BUILD"])
PLUGINS = pathlib.Path(os.environ["PLUGINS"])

SQL = {"mysql", "pgsql", "sqlite"}  # the plugins of one page
Key = collections.namedtuple("Key", "page group name type flags default choices help")

# How the manual begins to describe a key of a type.
FIRST_WORDS = {
    "string": "String", "path": "Path", "boolean": "Boolean", "integer": "Integer",
    "duration": "Duration", "size": "Size", "list": "List", "map": "Group", "group": "Group", "switch": "Boolean or path",
}


def plugin_names():
    return sorted(path.stem[len("store_"):] for path in PLUGINS.glob("store_*.so"))


def read_tables():
    """{(page, group, name): Key}"""
    command = [BUILD / "tests/docs/print_keys", PLUGINS, *plugin_names()]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    keys = [Key(*line.split("\t")) for line in text.splitlines()]
    return {(key.page, key.group, key.name): key for key in keys}


# ---- The manual ----

def plain(line):
    """A line of mdoc as text: macros and punctuation escapes gone."""
    if line.startswith("."):
        line = re.sub(r"^\.\S+\s*", "", line)
        line = re.sub(r"\b(Ic|Ql|Qq|Ar|Pa|Ns|Fl)\b\s*", "", line)
    return line.replace("\\(dq", '"').replace("\\-", "-").replace("\\&", "")


def read_page(path, page):
    """{(page, group, name): description}, of the lists of keys of one page."""
    section, group, name, found = "", None, None, {}
    for line in path.read_text().splitlines():
        if line.startswith(".Sh "):
            section, group, name = line[4:], "stores.NAME", None
        elif line.startswith(".Ss "):
            group, name = line[4:], None
            if group == "Top of the file":
                group = "-"
        elif section not in ("KEYS", "CONFIGURATION"):
            continue
        elif line.startswith(".It Ic "):
            name = line.split()[2]
            if (page, group, name) in found:
                raise SystemExit(f"{path}: {group}.{name} is there twice")
            found[page, group, name] = ""
        elif line.startswith((".El", ".Pp")):
            name = None
        elif name:
            found[page, group, name] += plain(line) + " "
    return found


def read_pages(tables):
    found = {}
    for page in sorted({key.page for key in tables.values()}):
        path = SOURCE / "man" / f"{page}.5"
        if not path.exists():
            raise SystemExit(f"there is no {path}")
        found.update(read_page(path, page))
    return found


def check_description(key, text):
    """What is wrong with the manual's words on a key."""
    faults = []
    if key.type == "choice":
        for word in key.choices.split():
            if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text):
                faults.append(f"does not name {word}")
    elif not text.startswith(FIRST_WORDS[key.type]):
        faults.append(f"does not begin with {FIRST_WORDS[key.type]}")
    told = re.search(r'default (?:is )?"?([^\s",;]+|[,;])', text)
    if key.default != "-" and (not told or told[1].rstrip(".") != key.default):
        faults.append(f"does not say: default {key.default}")
    if key.default == "-" and told and told[1].rstrip(".") not in ("none", "the", "that"):
        faults.append(f"tells of a default {told[1]}, which it has not")
    first_sentence = text.split(". ")[0]
    if ("required" in first_sentence) != ("required" in key.flags):
        faults.append("is " + ("required" if "required" in key.flags else "not required"))
    return faults


def check_manual(tables, pages):
    for place in sorted(tables.keys() - pages.keys()):
        yield f"{place[0]}(5) lacks {place[1]}.{place[2]}"
    for place in sorted(pages.keys() - tables.keys()):
        if place[0] == "memberchat-store-sql" and not SQL.issubset(plugin_names()):
            continue  # some of its keys are of a plugin that was not built
        yield f"{place[0]}(5) has {place[1]}.{place[2]}, which is no key"
    for place in sorted(tables.keys() & pages.keys()):
        for fault in check_description(tables[place], pages[place]):
            yield f"{place[0]}(5): {place[1]}.{place[2]} {fault}"


# ---- The sample configuration ----

SETTING = re.compile(r"^\s*(#?)([A-Za-z][\w-]*) = (.*?)\s*(?:#.*)?$")


def group_of(stack):
    """["stores", "members", "cache"] is stores.NAME.cache"""
    names = list(stack)
    if len(names) > 1 and names[0] in ("stores", "apps"):
        names[1] = "NAME"
    return ".".join(names) or "-"


def read_sample(path, stack):
    """Every setting, also those behind a "#": (group, name, value, is a comment, number, line).  The file
    begins inside of the groups of `stack`."""
    depth, stack = len(stack), list(stack)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        setting = SETTING.match(line)
        if re.match(r"^\s*#?\}", line):
            stack.pop()
        elif setting:
            comment, name, value = setting[1] == "#", setting[2], setting[3]
            if group_of(stack) not in ("stores", "apps"):
                yield group_of(stack), name, value, comment, number, line
            if value == "{":
                stack.append(name)
    if len(stack) != depth:
        raise SystemExit(f"{path}: {stack} does not end")


def written(key):
    """How a default is written in the file."""
    if key.type in ("integer", "boolean", "switch"):
        return key.default
    if key.type == "list":
        return f'[ "{key.default}" ]'
    return f'"{key.default}"'


def check_sample(tables, pages, path, stack, seen):
    """Against the keys of these pages; which of them the file names goes to `seen`."""
    by_name = {(key.group, key.name): key for key in tables.values() if key.page in pages}
    for group, name, value, comment, number, line in read_sample(path, stack):
        key = by_name.get((group, name))
        seen.add((group, name))
        if not key:
            yield f"{path.name}:{number}: {group}.{name} is no key"
        elif comment and key.default != "-" and value != written(key):
            yield f"{path.name}:{number}: the default of {name} is {written(key)}, not {value}"
        elif comment and key.default == "-" and value not in ("{", "[ ]", "false", '""') and not re.search(r"# (.*\bdefault\b|example\b)", line):
            yield f"{path.name}:{number}: {name} has no default, and its line says neither that it shows an example nor what the default is"


def check_samples(tables):
    """The sample configuration has all keys of the core and the file store, and the stores in
    conf/stores together those of their plugins."""
    main = ("memberchat.conf", "memberchat-store-file")
    seen = {page: set() for page in {key.page for key in tables.values()}}
    yield from check_sample(tables, main, SOURCE / "conf/memberchat.conf.in", [], seen[main[0]])
    seen[main[1]] = seen[main[0]]
    for path in sorted((SOURCE / "conf/stores").glob("*.conf")):
        plugin = re.search(r'plugin = "(\w+)"', path.read_text())[1]
        page = "memberchat-store-" + ("sql" if plugin in SQL else plugin)
        if page in seen:  # this plugin was built
            yield from check_sample(tables, ("memberchat.conf", page), path, ["stores"], seen[page])
    for key in sorted(tables.values()):
        if (key.group, key.name) not in seen[key.page]:
            yield f"no sample of {key.page} names {key.group}.{key.name}"


def check_that_sample_works():
    """As its own first lines say."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shutil.copy(BUILD / "conf/memberchat.conf", folder)
        shutil.copy(SOURCE / "conf/members.example.csv", folder / "members.csv")
        (folder / "keys").mkdir()
        (folder / "keys/my-app.jwk").write_text("q7Zt2VbX9mLs4RfWc8Hn3DgPy6KeJ5Au")
        (folder / "keys/my-app.secret").write_text("a-secret-of-this-test\n")
        for path in folder.rglob("*"):
            path.chmod(0o750 if path.is_dir() else 0o640)
        command = [os.environ["COMMAND"], "-c", folder / "memberchat.conf", "-L", PLUGINS, "check",
                   "--online"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode or "warning" in done.stdout:
            yield from done.stdout.splitlines()


def main():
    tables = read_tables()
    checks = [
        ("the manual has every key, and no other", check_manual(tables, read_pages(tables))),
        ("the samples have every key, and no other", check_samples(tables)),
        ("the sample works", check_that_sample_works()),
    ]
    print(f"1..{len(checks)}")
    for number, (name, faults) in enumerate(checks, 1):
        faults = list(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults:
            print(f"# {fault}")


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files have fewer than 400 lines, functions fewer than 60.

From the environment: SOURCE (the top folder).  The same look at trees made for the purpose shows
that it can fail.
"""
import ast
import re

import looks

FILE_MAX, FUNCTION_MAX = 399, 59
FOLDERS = ("base", "bench", "examples", "include", "modules", "plugins", "src", "tests", "tools")
SUFFIXES = {".c", ".h", ".inc", ".py", ".sh", ".mjs", ".js", ".ts", ".php"}


def sources(top):
    yield from (path for path in top.glob("*.sh"))
    for folder in FOLDERS:
        for path in sorted((top / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file() and "node_modules" not in path.parts:
                yield path


def functions(path, text):
    """Name and number of lines of each."""
    if path.suffix in (".c", ".h"):
        lines = text.split("\n")
        for opening in (number for number, line in enumerate(lines) if line == "{"):
            begin = opening - 1
            while lines[begin].startswith(" "):
                begin -= 1
            end = next((number for number in range(opening, len(lines)) if lines[number].startswith("}")), opening)
            yield re.sub(r"\(.*", "", lines[begin]).split(" ")[-1], end - begin + 1
    elif path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                yield node.name, node.end_lineno - node.lineno + 1


def long_files(top):
    for path in sources(top):
        lines = path.read_text().count("\n")
        if lines > FILE_MAX:
            yield f"{path.relative_to(top)} has {lines} lines"


def long_functions(top):
    for path in sources(top):
        for name, lines in functions(path, path.read_text()):
            if lines > FUNCTION_MAX:
                yield f"{name}() in {path.relative_to(top)} has {lines} lines"


LOOKS = [("files under 400 lines", long_files), ("functions under 60 lines", long_functions)]
BROKEN = {
    "files under 400 lines": [{"base/a.h": "\n" * 400}, {"tests/a.py": "\n" * 400}, {"a.sh": "\n" * 400}],
    "functions under 60 lines": [
        {"base/a.c": "static int f(int a,\n             int b)\n{\n" + "    a++;\n" * 57 + "}\n"},
        {"tests/a.py": "def f():\n" + "    pass\n" * 59}],
}

looks.run(LOOKS, BROKEN)

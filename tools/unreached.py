#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds what no test reaches against tests/unreached.txt, where each such function stands with its reason.

usage: unreached.py SOURCE-FOLDER COVERAGE-JSON (of gcovr).  Prints what has no reason, and reasons that are no
longer needed; the last line counts the branches.
"""
import json
import pathlib
import sys


def read_reasons(path):
    """{(file, function): reason}; the function "*" is all of a file."""
    lines = [line.split(None, 2) for line in path.read_text().splitlines() if line and line[0] not in "#-"]
    return {(file, function): reason for file, function, reason in lines}


def unreached(file):
    """(function, line, branches that are not taken) of a file in gcovr's words; no branches: a line that is not run."""
    starts = sorted((function["lineno"], function["name"]) for function in file["functions"])
    for line in file["lines"]:
        branches = [branch for branch in line["branches"] if branch["count"] == 0]
        if line.get("gcovr/noncode") or line.get("gcovr/excluded") or (not branches and line["count"]):
            continue
        before = [name for number, name in starts if number <= line["line_number"]]
        yield before[-1] if before else "-", line["line_number"], len(branches)


def main(source, coverage):
    source = pathlib.Path(source)
    reasons = read_reasons(source / "tests/unreached.txt")
    needed, with_reason, without = set(), 0, 0
    for file in json.loads(pathlib.Path(coverage).read_text())["files"]:
        text = (source / file["file"]).read_text().splitlines()
        for function, number, branches in unreached(file):
            keys = {(file["file"], function), (file["file"], "*")} & reasons.keys()
            needed |= keys
            with_reason += branches if keys else 0
            without += 0 if keys else branches
            if not keys:
                what = f"{branches} branches not taken" if branches else "not run"
                print(f"{file['file']}:{number}: {function}(): {what}: {text[number - 1].strip()}")
    for file, function in sorted(reasons.keys() - needed):
        if "a race" not in reasons[file, function]:  # what is one is reached now and then
            print(f"tests/unreached.txt: {file} {function}: all of it is reached now")
    print(f"branches that nothing takes: {with_reason} with a reason, {without} without")


main(*sys.argv[1:])

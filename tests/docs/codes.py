#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every error code of the program is described in docs/openapi.json, README.md and memberchat.fcgi(8), with its
status, and the other way round.  From the environment: SOURCE."""
import json
import os
import pathlib
import re

SOURCE = pathlib.Path(os.environ["SOURCE"])


def of_program():
    return {(int(status), code) for status, code in
            re.findall(r'\{(\d{3}), "([A-Z_]+)"', (SOURCE / "src/api/reply.c").read_text().replace("\n", " "))}


def of_description():
    responses = json.loads((SOURCE / "docs/openapi.json").read_text())["components"]["responses"]
    used = json.dumps(json.loads((SOURCE / "docs/openapi.json").read_text())["paths"])
    statuses = {name: int(status) for status, name in re.findall(r'"(\d{3})": \{"\$ref": "#/components/responses/(\w+)"', used)}
    return {(statuses[name], code) for name, response in responses.items() if "content" in response
            for part in response["content"]["application/json"]["schema"].get("allOf", [])
            for code in part.get("properties", {}).get("errorCode", {}).get("enum", [])}


def of_readme():
    return {(int(status), code) for status, code in
            re.findall(r"^\| (\d{3}) \| ([A-Z_]+) \|", (SOURCE / "README.md").read_text(), re.M)}


def of_manual():
    return {(int(status), code) for status, code in
            re.findall(r"^\.It (\d{3}) ([A-Z_]+)$", (SOURCE / "man/memberchat.fcgi.8").read_text(), re.M)}


PLACES = [("docs/openapi.json", of_description), ("README.md", of_readme), ("memberchat.fcgi(8)", of_manual)]
wanted = of_program()
print(f"1..{len(PLACES) + 1}")
print(f"{'ok' if len(wanted) > 10 else 'not ok'} 1 - src/api/reply.c has {len(wanted)} codes")
for number, (name, codes) in enumerate(PLACES, 2):
    missing, extra = sorted(wanted - codes()), sorted(codes() - wanted)
    print(f"{'not ok' if missing or extra else 'ok'} {number} - {name} has the codes of the program")
    for what, found in (("lacks", missing), ("has besides", extra)):
        for status, code in found:
            print(f"# {name} {what} {status} {code}")

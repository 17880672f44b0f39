#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is made from docs/openapi.json: the files of docs/ are what the scripts of tools/api make of it today, and the
page needs nothing from elsewhere.  From the environment: SOURCE."""
import html.parser
import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["SOURCE"])
MADE = {"api.html": "page.py", "memberchat.d.ts": "typescript.py",
        "memberchat.postman_collection.json": "postman.py"}
VOID = {"br", "meta"}
number = 0


def check(name, faults):
    global number
    number += 1
    print(f"{'not ok' if faults else 'ok'} {number} - {name}")
    for fault in faults:
        print(f"# {fault}")


def make(script):
    return subprocess.run([sys.executable, "-B", SOURCE / "tools/api" / script, SOURCE / "docs/openapi.json"],
                          stdout=subprocess.PIPE, check=True).stdout


class Page(html.parser.HTMLParser):
    """Collects what is wrong with a page: tags that do not match, scripts, links that lead nowhere."""

    def __init__(self, source):
        super().__init__()
        self.open, self.ids, self.links, self.faults, self.seen = [], [], [], [], set()
        self.feed(source)
        self.faults += [f"<{tag}> is not closed" for tag in self.open]
        self.faults += [f"two elements are called {name}" for name in set(self.ids) if self.ids.count(name) > 1]
        self.faults += [f"{link} leads nowhere" for link in self.links if link[1:] not in self.ids]

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            elif name == "href" and value.startswith("#"):
                self.links.append(value)
            elif name in ("href", "src", "srcset", "action", "data", "style") or name.startswith("on"):
                self.faults.append(f"<{tag} {name}={value}>: outside resources and scripts are not for this page")
        if tag in ("script", "link", "iframe", "object", "embed", "img"):
            self.faults.append(f"<{tag}> is not for this page")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes another element")


for name, script in MADE.items():
    stale = (SOURCE / "docs" / name).read_bytes() != make(script)
    check(f"docs/{name} is what docs/openapi.json says", ["run \"make api\", and commit docs/"] if stale else [])
text = (SOURCE / "docs/api.html").read_text()
page = Page(text)
check("the page is whole and needs nothing from elsewhere",
      page.faults + [f"{word} in the style" for word in ("url(", "@import") if word in text])
missing = [word for word in ('lang="en"', 'name="viewport"', "prefers-color-scheme: dark", "max-width: 40rem") if word not in text]
check("the page is for phones, light and dark", missing + [f"<{tag}> is missing" for tag in {"main", "nav", "h1"} - page.seen])
print(f"1..{number}")

# SPDX-License-Identifier: MIT
"""What a document tells its reader to type: its indented blocks, and the commands between backticks."""
import re
import shutil

BLOCK = re.compile(r"(?m)^(?: {4}.*\n(?:\n(?= {4}))?)+")
INLINE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
OURS = ("memberchat", "a2enmod", "lighty-enable-mod", "systemctl", "nginx", "dpkg-buildpackage", "semanage", "php")


def blocks(text):
    """Each block, without its indent."""
    return [re.sub(r"(?m)^ +(?=\S)" if is_nested(found) else "(?m)^ {4}", "", found).rstrip("\n") + "\n"
            for found in BLOCK.findall(text)]


def is_nested(block):
    """A block within a list, which is indented further."""
    return all(line.startswith("      ") for line in block.splitlines() if line)


def inline_commands(text):
    """Texts between backticks that a shell could run: a program and at least one word more."""
    plain = BLOCK.sub("", text)
    found = [" ".join(one.split()) for one in INLINE.findall(plain)]
    return list(dict.fromkeys(one for one in found if is_command(one)))


def is_command(words):
    first, *more = words.split(" ")
    return bool(more) and "=" not in more[0] and (
        first in OURS or first.startswith("./") or bool(re.fullmatch(r"[a-z][\w.+-]*", first) and shutil.which(first)))

# SPDX-License-Identifier: MIT
"""Looks at the sources, and the same looks at trees made to break them, which shows that they can fail."""
import os
import pathlib
import tempfile


def caught(look, tree):
    """Whether a look finds a fault in a tree: {path: text}."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in tree.items():
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return bool(list(look(pathlib.Path(folder))))


def run(looks, broken):
    """`looks`: (what must be true, a function that yields the faults of a tree); `broken`: trees for each."""
    number = 0
    print(f"1..{sum(1 + len(trees) for trees in broken.values())}")
    for name, look in looks:
        faults = list(look(pathlib.Path(os.environ["SOURCE"])))
        number += 1
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults:
            print("#", fault)
        for tree in broken[name]:
            number += 1
            verdict = "ok" if caught(look, tree) else "not ok"
            print(f"{verdict} {number} - and {', '.join(tree)} that breaks it is caught")

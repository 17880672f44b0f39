# SPDX-License-Identifier: MIT
"""Pages in a headless Chromium, by scripts of chat/clients/.

MEMBERCHAT_SCREENSHOTS is a folder that keeps the screenshots.
"""
import json
import os
import subprocess

from .people import CLIENTS
from .programs import limit
from .servers import find_server


def browse(scratch, script, *arguments):
    """What a script saw."""
    folder = os.environ.get("MEMBERCHAT_SCREENSHOTS", scratch.path)
    done = subprocess.run(["node", CLIENTS / script, folder, *arguments], capture_output=True, text=True,
                          timeout=limit(90), check=False, cwd=scratch.path,
                          env={**os.environ, "CHROMIUM": find_server("chromium"), "TMPDIR": str(scratch.path)})
    if done.returncode:
        raise AssertionError(f"{script} {arguments[0]}: {done.stderr[-3000:]}")
    return json.loads(done.stdout)

# SPDX-License-Identifier: MIT
"""The programs under test, copied to where every user may run them.

The environment says what to test:
  MEMBERCHAT_BUILD    the build folder (required)
  MEMBERCHAT_WRAP     a command to run the responder under, such as valgrind and its options
  MEMBERCHAT_SLOW     a factor for all time limits (sanitizers, valgrind)
  MEMBERCHAT_REPORTS  a folder where sanitizers and valgrind leave their reports
"""
import atexit
import functools
import os
import pwd
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

SLOW = float(os.environ.get("MEMBERCHAT_SLOW", "1"))
WRAP = os.environ.get("MEMBERCHAT_WRAP", "")
REPORTS = os.environ.get("MEMBERCHAT_REPORTS", "")
TESTS = Path(__file__).resolve().parent.parent
SOURCE = TESTS.parent.parent
SANITIZER_VARIABLES = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")


class Programs:
    """Paths of the responder, the administrator's command and the plugin folder."""

    def __init__(self, build, folder):
        self.folder = folder
        self.plugins = folder / "plugins"
        self.plugins.mkdir()
        for plugin in find_plugins(build):
            shutil.copy(plugin, self.plugins)
        for module in (build / ".libs").glob("sign_*.so"):
            shutil.copy(module, self.plugins)
        self.command = copy_program(build, "memberchat", folder)
        binary = copy_program(build, "memberchat.fcgi", folder)
        self.responder = write_wrapper(folder / "spawn", binary, self.plugins)


def find_plugins(build):
    plugins = [p for p in sorted(build.rglob("store_*.so")) if p.parent.name == ".libs"]
    if not plugins:
        raise SystemExit(f"no .libs/store_*.so below {build}: build the plugins first")
    return plugins


def copy_program(build, name, folder):
    """The program itself, where libtool left a script in its place."""
    for candidate in (build / "src" / ".libs" / name, build / "src" / name):
        if candidate.is_file():
            return Path(shutil.copy(candidate, folder))
    raise SystemExit(f"{build}/src/{name}: not built")


def sanitizer_settings():
    return {name: os.environ[name] for name in SANITIZER_VARIABLES if name in os.environ}


def write_wrapper(folder, binary, plugins):
    """A script of the program's name: web servers hand on no environment, and take no command."""
    folder.mkdir()
    wrapper = folder / binary.name
    settings = {"MEMBERCHAT_PLUGIN_DIR": str(plugins), "MALLOC_PERTURB_": "165", **sanitizer_settings()}
    exports = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    wrapper.write_text("\n".join(["#!/bin/sh", *exports, f'exec {WRAP} {binary} "$@"', ""]))
    wrapper.chmod(0o755)
    return wrapper


@functools.cache
def programs():
    build = os.environ.get("MEMBERCHAT_BUILD")
    if not build:
        raise SystemExit("MEMBERCHAT_BUILD: set it to the build folder")
    folder = Path(tempfile.mkdtemp(prefix="mc-bin-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    return Programs(Path(build).resolve(), folder)


def limit(seconds):
    """A time limit, made longer for slow builds."""
    return seconds * SLOW


def patient(**defaults):
    """A program's own time limits in seconds, to be written into its configuration where they would be too short
    for a slow build; {} where they are not."""
    return {key: f"{min(limit(seconds), 20):g}s" for key, seconds in defaults.items()} if SLOW > 1 else {}


def web_user():
    """The user for a web server that will not serve as root, or None where we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("www-data", "http", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise SystemExit("no user www-data, http or nobody to run a web server as")


def sanitizer_library():
    """It wants to be loaded before all others."""
    libraries = subprocess.run(["ldd", programs().folder / "memberchat.fcgi"], capture_output=True, text=True,
                               check=True).stdout
    return re.findall(r"=> (\S*/lib[at]san\.so\S*)", libraries)


def preloading(name):
    """Variables for a program under test that is to use a library of tests/plugins/."""
    library = Path(os.environ["MEMBERCHAT_BUILD"]).resolve() / f"tests/plugins/.libs/{name}.so"
    return {"LD_PRELOAD": " ".join([*sanitizer_library(), str(library)])}

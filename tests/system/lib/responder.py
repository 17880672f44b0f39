# SPDX-License-Identifier: MIT
"""Starting memberchat.fcgi on its own, and running the administrator's command."""
import os
import re
import socket
import subprocess

from . import fcgi
from .programs import limit, programs
from .scratch import wait_until


def environment(site=None, **more):
    """The environment of a program under test: nothing of ours but PATH and sanitizer settings."""
    kept = {k: v for k, v in os.environ.items() if k == "PATH" or k.endswith("SAN_OPTIONS")}
    kept["MEMBERCHAT_PLUGIN_DIR"] = str(programs().plugins)
    if site:
        kept["MEMBERCHAT_CONF"] = str(site.conf)
    return {**kept, **more}


def accepts(address):
    """Whether someone listens there (a path, or host and port)."""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    with socket.socket(family) as probe:
        try:
            probe.connect(address if isinstance(address, tuple) else str(address))
        except OSError:
            return False
    return True


def as_argument(address):
    return "%s:%d" % address if isinstance(address, tuple) else f"unix:{address}"


class RunningResponder(fcgi.Responder):
    """A responder of ours on a socket of its own, ready for requests; `wrap` is in front of its command."""

    def __init__(self, scratch, site, address=None, wrap=(), **popen):
        super().__init__(address or scratch.path / "mc.sock")
        argv = [*wrap, programs().responder, "-c", site.conf, "-L", programs().plugins,
                "-s", as_argument(self.address)]
        self.process = scratch.start(argv, **{"env": environment(), **popen})
        wait_until(f"the responder on {self.address}", self.ready, 15)

    def ready(self):
        if not self.process.running:
            raise AssertionError(f"ended with {self.process.popen.returncode}: {self.log_text()}")
        return accepts(self.address)

    def log_text(self):
        return self.process.log_text()

    def expect_log(self, pattern, seconds=8, times=1):
        """Waits for lines in the log that match; words differ in case only."""
        wanted = re.compile(pattern, re.IGNORECASE)
        wait_until(f"{times} x /{pattern}/ in the log:\n{self.log_text()[-1500:]}",
                   lambda: len(wanted.findall(self.log_text())) >= times, seconds)


def run(argv, env=None, stdin=b"", seconds=20, **popen):
    """A command to its end: status, stdout and stderr."""
    return subprocess.run([str(a) for a in argv], env=env or environment(), input=stdin,
                          capture_output=True, timeout=limit(seconds), check=False, **popen)


def as_user(user):
    """For run() and command(): as another user, whom web_user() names."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def command(*arguments, **more):
    """The administrator's command, with our plugins."""
    done = run([programs().command, *arguments], **more)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def respond(*arguments, **more):
    """The responder as a command that ends by itself (-t, -V, mistakes)."""
    done = run([programs().responder, *arguments], **more)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done

# SPDX-License-Identifier: MIT
"""A responder that somebody holds the socket for, and starts anew: by the files of conf/.

RunningService does what systemd does with the two unit files, as far as they matter here; no
systemd is needed.  RunningScript runs the script for spawn-fcgi and multiwatch.
"""
import configparser
import contextlib
import os
import pwd
import shlex
import signal
import socket
import threading
import time

from . import fcgi
from .programs import limit, programs, web_user
from .responder import accepts, environment
from .scratch import wait_until
from .servers import INSTALLED_COMMAND, INSTALLED_SOCKET, read_mount, responder_paths


def responder_pids(scratch):
    """The responders that belong to a scratch folder, whoever started them."""
    return [pid for pid in scratch.stragglers() if is_responder(pid)]


def is_responder(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith("memberchat.fcgi")
    except OSError:
        return False


def substituted(scratch, site):
    """What a file of conf/ says, and what it is here."""
    return {**responder_paths(site), INSTALLED_SOCKET: scratch.path / "mc.sock"}


def kill_responders(scratch):
    for pid in responder_pids(scratch):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Unit:
    """A unit file: unit.get("Socket", "Backlog")."""

    def __init__(self, text):
        self.parser = configparser.ConfigParser(interpolation=None, delimiters=("=",),
                                                comment_prefixes=("#", ";"), strict=False)
        self.parser.optionxform = str
        self.parser.read_string(text)

    def get(self, section, key):
        return self.parser[section][key]

    def seconds(self, section, key):
        text = self.get(section, key)
        return float(text[:-2]) / 1000 if text.endswith("ms") else float(text)


class RunningService(fcgi.Responder):
    """The units, enabled and started: the socket stays, whatever happens to the program."""

    def __init__(self, scratch, site):
        self.scratch = scratch
        paths = substituted(scratch, site)
        self.socket_text = read_mount("systemd/memberchat.socket", {INSTALLED_SOCKET: paths[INSTALLED_SOCKET]})
        self.service_text = read_mount("systemd/memberchat.service", {
            **responder_paths(site), INSTALLED_COMMAND: programs().command})
        self.socket, self.service = Unit(self.socket_text), Unit(self.service_text)
        super().__init__(self.socket.get("Socket", "ListenStream"))
        self.listener = self.listen()
        self.changing = threading.Lock()  # of process and wanted
        self.wanted = True
        self.starts = 0
        self.run()
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

    def listen(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.address)
        user = web_user()  # stands for the users and groups that the units name
        if user:
            os.chown(self.address, user.pw_uid, user.pw_gid)
        os.chmod(self.address, int(self.socket.get("Socket", "SocketMode"), 8))
        listener.listen(int(self.socket.get("Socket", "Backlog")))
        return listener

    def watch(self):
        pause = self.service.seconds("Service", "RestartSec")
        while self.listener.fileno() >= 0:
            with self.changing:
                if self.wanted and not self.process.running:
                    self.run()
            time.sleep(pause)

    def run(self):
        """The socket is descriptor 3, as sd_listen_fds(3) says."""
        user = web_user()
        script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3<&0 </dev/null'
        owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        self.process = self.scratch.start(
            ["/bin/sh", "-c", script, *shlex.split(self.service.get("Service", "ExecStart"))],
            self.scratch.path / "service.log", stdin=self.listener, env=environment(), **owner)
        self.starts += 1

    def stop(self):
        """systemctl stop; the exit status."""
        with self.changing:
            self.wanted = False
            number = signal.Signals[self.service.get("Service", "KillSignal")]
            return self.process.stop(number, self.service.seconds("Service", "TimeoutStopSec"))

    def start(self):
        with self.changing:
            self.wanted = True
            self.run()

    def restart(self):
        status = self.stop()
        self.start()
        return status

    def close(self):
        """Before the scratch folder goes: nothing is started any more."""
        with self.changing:
            self.wanted = False
            self.listener.close()
        self.watcher.join()


class RunningScript(fcgi.Responder):
    """spawn-fcgi and multiwatch with two responders."""

    def __init__(self, scratch, site):
        super().__init__(scratch.path / "mc.sock")
        self.scratch = scratch
        user = pwd.getpwuid(web_user().pw_uid if web_user() else os.geteuid())
        text = read_mount("spawn-fcgi/memberchat.sh", {
            **substituted(scratch, site), "user=memberchat": f"user={user.pw_name}",
            "web_group=www-data": f"web_group={user.pw_gid}"}, None if web_user() else without_users)
        script = scratch.path / "memberchat.sh"
        script.write_text(text)
        script.chmod(0o755)
        self.process = scratch.start([script], env=environment())
        wait_until("two responders", self.ready, 15)

    def ready(self):
        if not self.process.running:
            raise AssertionError(f"the script ended: {self.process.log_text()}")
        return accepts(self.address) and len(self.pids()) == 2

    def pids(self):
        """Without multiwatch, which carries the name of the program, too."""
        return sorted(responder_pids(self.scratch))

    def roll(self):
        """SIGTERM to one responder after the other; each is replaced first."""
        for old in self.pids():
            os.kill(old, signal.SIGTERM)
            wait_until("another responder", lambda: old not in self.pids() and self.ready(), 15)
            time.sleep(limit(0.05))


def without_users(text):
    """Only root may hand the socket to other users."""
    return text.replace('-U "$user" -G "$web_group" -u "$user" -g "$user" ', "")

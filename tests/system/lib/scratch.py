# SPDX-License-Identifier: MIT
"""A scratch folder and the processes that live in it.  All of them end with it."""
import atexit
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .programs import REPORTS, limit


def wait_until(what, probe, seconds=10):
    """Calls probe() until it gives something true, which is returned."""
    deadline = time.monotonic() + limit(seconds)
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {limit(seconds):g} s")
        time.sleep(0.01)


def freeze(pid):
    """Stops a process; the signal alone is on its way for a while, and its threads go on."""
    os.kill(pid, signal.SIGSTOP)
    tasks = Path(f"/proc/{pid}/task")
    wait_until("it stands still", lambda: all(
        (task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks.iterdir()))


taken_ports = {}  # port: None; "file": the open file with a lock of a byte for each


def free_port():
    """A port that nobody else gets while this process runs: no outgoing connection, as it is below their range, and no
    other process of these tests, as it is locked."""
    if "file" not in taken_ports:
        path = os.path.join(tempfile.gettempdir(), f"memberchat-test-ports-{os.getuid()}")
        taken_ports["file"] = open(path, "a", encoding="ascii")  # pylint: disable=consider-using-with
    for port in random.sample(range(10000, 32000), 1000):
        if port in taken_ports:
            continue
        try:
            fcntl.lockf(taken_ports["file"], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        taken_ports[port] = None
        return port
    raise AssertionError("no port is free")


def unix_listener(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    return listener


class Process:
    """A program in a session of its own, its output in a file."""

    def __init__(self, argv, log, **popen):
        self.log = Path(log)
        with open(log, "ab") as output:
            popen = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **popen}
            self.popen = subprocess.Popen([str(a) for a in argv], start_new_session=True, **popen)
        self.pid = self.popen.pid

    @property
    def running(self):
        return self.popen.poll() is None

    def send_signal(self, number):
        if self.running:
            os.kill(self.pid, number)

    def wait(self, seconds=8):
        """The exit status.  A process that does not end is killed, and that is a failure."""
        try:
            return self.popen.wait(limit(seconds))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.popen.args[0]}: still there after {limit(seconds):g} s")

    def stop(self, number=signal.SIGTERM, seconds=8):
        self.send_signal(number)
        return self.wait(seconds)

    def kill(self):
        """Ends the whole session, however far it got."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()

    def log_text(self):
        return self.log.read_text(errors="replace")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_kib(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")


class Scratch:
    """A folder with a short name (unix sockets allow 107 bytes), removed with all its processes."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="mc-"))
        self.path.chmod(0o755)
        self.processes = []
        self.count = 0
        atexit.register(self.close)  # for tests that are interrupted

    def start(self, argv, log=None, **popen):
        self.count += 1
        process = Process(argv, log or self.path / f"process-{self.count}.log", **popen)
        self.processes.append(process)
        return process

    def close(self):
        atexit.unregister(self.close)
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            end_within(process, 8)
        for pid in self.stragglers():
            os.kill(pid, signal.SIGKILL)
        self.keep_reports()
        shutil.rmtree(self.path, ignore_errors=True)

    def keep_reports(self):
        """UndefinedBehaviorSanitizer beside AddressSanitizer writes nowhere but to stderr."""
        for log in self.path.rglob("*.log") if REPORTS else ():
            complaint = log.read_bytes().partition(b"runtime error: ")
            if complaint[1]:
                (Path(REPORTS) / f"{self.path.name}-{log.name}").write_bytes(
                    complaint[0][-500:] + complaint[1] + complaint[2][:3000])

    def stragglers(self):
        """Processes that our processes started and left: they carry our folder's name."""
        mark = str(self.path).encode()
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [pid for pid in pids if pid != os.getpid() and mentions(pid, mark)]


def end_within(process, seconds):
    try:
        process.popen.wait(limit(seconds))
    except subprocess.TimeoutExpired:
        pass
    process.kill()


def mentions(pid, mark):
    for name in ("cmdline", "environ"):
        try:
            if mark in Path(f"/proc/{pid}/{name}").read_bytes():
                return True
        except OSError:
            continue
    return False

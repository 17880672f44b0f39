# SPDX-License-Identifier: MIT
"""Processes of the benchmark: starting, measuring, and ending them, whatever happens."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PACKAGES = {
    "lighttpd": "lighttpd",
    "wrk": "wrk",
    "slapadd": "slapd",
    "mariadbd": "mariadb-server",
    "nginx": "nginx",
    "openssl": "openssl",
    "php-cgi": "php-cgi",
    "php-fpm": "php-fpm",
    "php opcache": "php-opcache",
    "php sqlite": "php-sqlite3",
    "php mysqli": "php-mysql",
}
PHP_MODULES = {"php opcache": "zend_extension=opcache.so", "php sqlite": "extension=sqlite3.so",
               "php mysqli": "extension=mysqlnd.so"}


def die(message):
    sys.exit(f"bench: {message}")


def find_program(name):
    """The path of a program; php-fpm has its version in its name on Debian."""
    folders = os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/usr/local/sbin", "/sbin"]
    path = ":".join(folders)
    names = [name] + [f"{name}8.{minor}" for minor in range(9, -1, -1)]
    for candidate in names:
        found = shutil.which(candidate, path=path)
        if found:
            return found
    return None


def is_there(name):
    """Whether a program of PACKAGES can be run, or a module of PHP be loaded."""
    if name not in PHP_MODULES:
        return find_program(name) is not None
    php = find_program("php-cgi") or find_program("php")
    if not php:
        return False
    more = ["-d", "extension=mysqli.so"] if name == "php mysqli" else []
    said = subprocess.run([php, "-n", "-d", PHP_MODULES[name], *more, "-m"], capture_output=True, text=True, check=False)
    return name.split()[1] in said.stdout.lower()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Area(contextlib.ExitStack):
    """A scratch folder and the processes that were started in it; both end with it."""

    def __enter__(self):
        super().__enter__()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.folder = tempfile.mkdtemp(prefix="mcbench-")
        self.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make_folder(self, *names):
        os.makedirs(self.path(*names), exist_ok=True)
        return self.path(*names)

    def write(self, name, text, mode=0o640):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def start(self, name, command, socket_path=None, **options):
        """Starts a server, its output in NAME.log; waits for its socket."""
        with open(self.path(f"{name}.log"), "wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True, **options)
        self.callback(stop, process)
        deadline = time.monotonic() + 30
        while socket_path and not connects(socket_path):
            if process.poll() is not None or time.monotonic() > deadline:
                with open(self.path(f"{name}.log"), encoding="utf-8", errors="replace") as log:
                    die(f"{name} did not start:\n{log.read()}")
            time.sleep(0.02)
        return process


def connects(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as client:
        try:
            client.connect(address)
        except OSError:
            return False
    return True


def stop(process):
    """Ends a server and what it has started (php-fpm's workers)."""
    children = family(process.pid)[1:]
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            if child_is_ours(child, process.pid):
                os.kill(child, signal.SIGKILL)


def child_is_ours(pid, session):
    """Whether a process that outlived its parent still is what we started (ids are used again)."""
    try:
        return os.getsid(pid) == session
    except ProcessLookupError:
        return False


# ---- What the kernel says of them ----

def read_proc(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", encoding="ascii", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def family(pid):
    """A process and all below it."""
    pids = [pid]
    for child in read_proc(pid, f"task/{pid}/children").split():
        pids += family(int(child))
    return pids


def cpu_seconds(pid):
    """CPU that a family of processes has used, user and system (its children that ended, too)."""
    tick = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for member in family(pid):
        fields = read_proc(member, "stat").rpartition(")")[2].split()
        if not fields:
            continue
        precise = precise_seconds(member)
        total += precise or (int(fields[11]) + int(fields[12])) / tick
    return total


def precise_seconds(pid):
    """utime + stime in nanoseconds instead of ticks, where the kernel keeps them a thread."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return 0.0
    parts = [read_proc(pid, f"task/{thread}/schedstat").split() for thread in threads]
    return sum(int(part[0]) for part in parts if part) / 1e9


def memory_bytes(pid):
    """Resident memory of a family of processes: (Rss summed, Pss summed)."""
    rss = pss = 0
    for member in family(pid):
        for line in read_proc(member, "smaps_rollup").splitlines():
            name, _, rest = line.partition(":")
            if name == "Rss":
                rss += int(rest.split()[0]) * 1024
            elif name == "Pss":
                pss += int(rest.split()[0]) * 1024
    return rss, pss

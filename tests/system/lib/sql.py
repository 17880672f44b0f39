# SPDX-License-Identifier: MIT
"""MariaDB and PostgreSQL of our own, each in a folder that its user may enter."""
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .programs import SOURCE
from .scratch import Process, free_port, wait_until

SCRIPT = SOURCE / "tests/plugins/sql_server.sh"
PEOPLE = [("1", "Ann", "ACTIVE"), ("2", "Björn \\ \"B\" 'x'; --", None), ("3", "Gone", "LEFT"), ("josé", "José", None)]


class Server:
    """Both databases have a table people, which the user chat may read."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mc-sql-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.process = None
        self.start()
        self.sql(self.table + "".join(
            f"INSERT INTO people VALUES ('{user}', '{self.escape(name)}', {repr(state) if state else 'NULL'});"
            for user, name, state in PEOPLE) + "GRANT SELECT ON people TO chat;")

    def start(self, *options):
        self.process = Process([SCRIPT, self.kind, self.folder, *self.options(), *options], self.folder / "log")
        wait_until(f"{self.kind} answers", lambda: self.answers("SELECT 1"), 60)

    def stop(self, number=None):
        self.thaw()
        os.kill(self.process.pid, number or self.end)
        self.process.wait(20)

    def remove(self):
        if self.process.running:
            self.stop(signal.SIGQUIT if self.kind == "postgres" else signal.SIGKILL)
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, text):
        return subprocess.run(self.client(), input=text.encode(), capture_output=True, check=False)

    def answers(self, text):
        return self.run(text).returncode == 0

    def sql(self, text):
        done = self.run(text)
        if done.returncode:
            raise AssertionError(f"{text[:200]}: {done.stderr.decode()}")
        return done.stdout.decode()

    def processes(self):
        """The script has become the server."""
        done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True,
                              check=False)
        return [self.process.pid, *map(int, done.stdout.split())]

    def freeze(self):
        for pid in self.processes():
            os.kill(pid, signal.SIGSTOP)
        time.sleep(0.1)

    def thaw(self):
        for pid in self.processes():
            os.kill(pid, signal.SIGCONT)


class MariaDB(Server):
    kind, plugin, end = "mariadb", "mysql", signal.SIGTERM
    table = ("CREATE TABLE people (id VARCHAR(128) PRIMARY KEY, name VARCHAR(255), state VARCHAR(20))"
             " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;")
    slow = "SLEEP(60)"

    def options(self):
        return ["--skip-networking=0", "--bind-address=127.0.0.1", f"--port={self.port}"]

    def client(self):
        return ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", f"--socket={self.folder}/mysqld.sock",
                "-uroot", "site"]

    @staticmethod
    def escape(text):
        return text.replace("\\", "\\\\").replace("'", "''")

    @property
    def socket(self):
        return self.folder / "mysqld.sock"

    def end_sessions(self):
        self.sql("".join(f"KILL {number};" for number in self.sql(
            "SELECT id FROM information_schema.processlist WHERE user = 'chat'").split()[1:]))

    def queries(self):
        return self.sql("SELECT info FROM information_schema.processlist WHERE user = 'chat' AND info IS NOT NULL")

    def set_password(self, password):
        self.sql(f"SET PASSWORD FOR chat = PASSWORD('{password}')")


class PostgreSQL(Server):
    kind, plugin, end = "postgres", "pgsql", signal.SIGINT
    table = "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT, state TEXT);"
    slow = "(SELECT 'x' FROM pg_sleep(60))"

    def options(self):
        return ["-c", "listen_addresses=127.0.0.1", "-p", str(self.port)]

    def client(self):
        return ["psql", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p", str(self.port), "-U",
                "postgres", "site"]

    @staticmethod
    def escape(text):
        return text.replace("'", "''")

    @property
    def socket(self):
        return self.folder

    def end_sessions(self):
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'chat'")

    def queries(self):
        return self.sql("SELECT query FROM pg_stat_activity WHERE usename = 'chat' AND state = 'active'")

    def set_password(self, password):
        self.sql(f"ALTER USER chat PASSWORD '{password}'")

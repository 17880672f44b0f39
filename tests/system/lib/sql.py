# SPDX-License-Identifier: MIT
"""MariaDB, MySQL and PostgreSQL of our own, each in a folder that its user may enter."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from .programs import SOURCE
from .scratch import Process, free_port, wait_until

SCRIPT = SOURCE / "tests/plugins/sql_server.sh"
PEOPLE = [("1", "Ann", "ACTIVE"), ("2", "Björn \\ \"B\" 'x'; --", None), ("3", "Gone", "LEFT"), ("josé", "José", None)]


class Server:
    """Both databases have a table people, which the user chat may read."""

    def __init__(self, *more, address="127.0.0.1", port=None):
        self.address, self.more = address, more
        self.folder = Path(tempfile.mkdtemp(prefix="mc-sql-"))
        self.folder.chmod(0o755)
        self.port = port or free_port()
        self.process = None
        for _ in range(3):  # somebody else may have taken the port
            if self.come_up():
                break
            self.port = port or free_port()
        self.sql(self.table + "".join(
            f"INSERT INTO people VALUES ('{user}', '{self.escape(name)}', {repr(state) if state else 'NULL'});"
            for user, name, state in PEOPLE) + "GRANT SELECT ON people TO chat;")

    def come_up(self):
        if not self.process or not self.process.running:
            self.process = Process([SCRIPT, self.kind, self.folder, *self.options(), *self.more], self.folder / "log")
        wait_until(f"{self.kind} answers", lambda: self.answers("SELECT 1") or not self.process.running, 120)
        return self.process.running

    def start(self):
        if not self.come_up():
            raise AssertionError(f"{self.kind}: {self.process.log_text()[-2000:]}")

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

    def show(self, certificate, key):
        """Over TLS, from now on."""
        owner = os.stat(self.folder / "data")
        for name, source in (("tls.pem", certificate), ("tls.key", key)):
            path = self.folder / name
            shutil.copy(source, path)
            os.chown(path, owner.st_uid, owner.st_gid)
            path.chmod(0o600)
        self.use_tls()

    def asks(self, data):
        """Whether this is how the client library asks what it has prepared."""
        return data[self.asked_at:self.asked_at + 1] == self.asked

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
            with contextlib.suppress(ProcessLookupError):  # some of PostgreSQL's end by themselves
                os.kill(pid, signal.SIGCONT)


def mysql_greeting(plugin="mysql_native_password", tls=True, without=0):
    """As MySQL 8 says it: version, a number, capabilities, salt, the way to sign in."""
    capabilities = (0x81bfffff if tls else 0x81bff7ff) & ~without
    words = capabilities.to_bytes(4, "little")
    text = (b"\x0a8.0.40\0" + bytes([1, 0, 0, 0]) + b"abcdefgh\0" + words[:2] + b"\xff\2\0" + words[2:] + b"\x15" +
            bytes(10) + b"ijklmnopqrst\0" + plugin.encode() + b"\0")
    return len(text).to_bytes(3, "little") + b"\0" + text


class MariaDB(Server):
    greeting = mysql_greeting()
    kind, plugin, end = "mariadb", "mysql", signal.SIGTERM
    asked_at, asked = 4, b"\x17"
    table = ("CREATE TABLE people (id VARCHAR(128) PRIMARY KEY, name VARCHAR(255), state VARCHAR(20))"
             " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;")
    # MySQL takes a sleep that it ended for one that was long enough, unless there is a row to read after it
    slow, large, kill = "(SELECT MAX(SLEEP(60)) FROM people)", "LONGTEXT", signal.SIGKILL
    few_connections = "ALTER USER chat WITH MAX_USER_CONNECTIONS 1"
    many_connections = "ALTER USER chat WITH MAX_USER_CONNECTIONS 0"
    short_idle, long_idle = "SET GLOBAL wait_timeout = 1", "SET GLOBAL wait_timeout = 28800"
    ready = "CREATE FUNCTION ready() RETURNS INT NO SQL RETURN 1; GRANT EXECUTE ON FUNCTION ready TO chat;"
    unready = ("DROP FUNCTION ready;\nDELIMITER //\nCREATE FUNCTION ready() RETURNS INT NO SQL BEGIN SIGNAL SQLSTATE '08S01' SET "
               "MYSQL_ERRNO = 1047, MESSAGE_TEXT = 'not ready'; RETURN 1; END//\nGRANT EXECUTE ON FUNCTION ready TO chat//\n")

    def options(self):
        return ["--skip-networking=0", f"--bind-address={self.address}", f"--port={self.port}"]

    def client(self):
        return ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", f"--socket={self.folder}/mysqld.sock",
                "-uroot", "site"]

    @staticmethod
    def escape(text):
        return text.replace("\\", "\\\\").replace("'", "''")

    @property
    def socket(self):
        return self.folder / "mysqld.sock"

    demand_tls, allow_all = "ALTER USER chat REQUIRE SSL", "ALTER USER chat REQUIRE NONE"
    # whose way to sign in is a plugin of libmariadb
    make_ed = "INSTALL SONAME 'auth_ed25519'; CREATE USER ed IDENTIFIED VIA ed25519 USING PASSWORD('secret');"

    def use_tls(self):
        """With tls.pem and tls.key in its folder, which it reads again."""
        if "--ssl-cert" not in str(self.more):
            self.restart_with_tls()
        self.sql("FLUSH SSL")

    def restart_with_tls(self):
        self.more = (f"--ssl-cert={self.folder}/tls.pem", f"--ssl-key={self.folder}/tls.key")
        self.stop()
        self.start()

    def sessions(self):
        return self.sql("SELECT id FROM information_schema.processlist WHERE user = 'chat' ORDER BY id")

    def end_sessions(self):
        self.sql("".join(f"KILL {number};" for number in self.sql(
            "SELECT id FROM information_schema.processlist WHERE user = 'chat'").split()[1:]))

    def queries(self):
        return self.sql("SELECT info FROM information_schema.processlist WHERE user = 'chat' AND info IS NOT NULL")

    def set_password(self, password):
        self.sql(f"ALTER USER chat IDENTIFIED BY '{password}'")


class MySQL(MariaDB):
    """That of another release, which tests/mysql/fetch.sh puts below $MEMBERCHAT_MYSQL."""
    kind = "mysql"
    make_ed = "CREATE USER ed IDENTIFIED BY 'secret';"

    def options(self):
        """As with MariaDB, there is no TLS before there is a certificate."""
        return [*super().options(), *([] if "--ssl-cert" in str(self.more) else ["--tls-version="])]

    def use_tls(self):
        """While it runs, it takes no certificate that it finds fault with."""
        self.restart_with_tls()


if "MEMBERCHAT_MYSQL" in os.environ:
    MariaDB = MySQL  # every test of MariaDB is one of MySQL then


class PostgreSQL(Server):
    greeting = b"S"  # "TLS, then"
    kind, plugin, end = "postgres", "pgsql", signal.SIGINT
    asked_at, asked = 0, b"B"
    table = "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT, state TEXT);"
    slow, large, kill = "(SELECT 'x' FROM pg_sleep(60))", "TEXT", signal.SIGQUIT
    few_connections, many_connections = "ALTER USER chat CONNECTION LIMIT 1", "ALTER USER chat CONNECTION LIMIT -1"
    ready = "CREATE FUNCTION ready() RETURNS INT LANGUAGE SQL AS 'SELECT 1';"
    unready = ("CREATE OR REPLACE FUNCTION ready() RETURNS INT LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not ready' "
               "USING ERRCODE = '57P03'; END $$;")
    short_idle, long_idle = "ALTER USER chat SET idle_session_timeout = 1000", "ALTER USER chat RESET idle_session_timeout"

    def options(self):
        return ["-c", f"listen_addresses={self.address}", "-p", str(self.port)]

    def client(self):
        return ["psql", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p", str(self.port), "-U",
                "postgres", "site"]

    @staticmethod
    def escape(text):
        return text.replace("'", "''")

    @property
    def socket(self):
        return self.folder

    demand_tls = allow_all = ""

    def use_tls(self):
        """With tls.pem and tls.key in its folder, which it reads again."""
        self.sql(f"ALTER SYSTEM SET ssl_cert_file = '{self.folder}/tls.pem'")
        self.sql(f"ALTER SYSTEM SET ssl_key_file = '{self.folder}/tls.key'")
        self.sql("ALTER SYSTEM SET ssl = on")
        self.sql("SELECT pg_reload_conf()")
        wait_until("TLS is on", lambda: self.sql("SHOW ssl").strip() == "on")

    def sessions(self):
        return self.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'chat' ORDER BY pid")

    def end_sessions(self):
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'chat'")

    def queries(self):
        return self.sql("SELECT query FROM pg_stat_activity WHERE usename = 'chat' AND state = 'active'")

    def set_password(self, password):
        self.sql(f"ALTER USER chat PASSWORD '{password}'")


class Proxy:
    """A way to a server on another address of this machine, whose connections can go silent, and its questions."""

    def __init__(self, server, address="127.0.0.3"):
        self.server = server
        self.listener = socket.create_server((address, server.port))
        self.silent = threading.Event()
        self.loses = lambda data: False  # what a client sent
        self.edits = (b"", b"")  # what is replaced in all that passes
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            silent, server = self.silent, socket.create_connection((self.server.address, self.server.port))
            self.sockets += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(*pair, silent), daemon=True).start()

    def copy(self, source, target, silent):
        """What goes silent stays open, and takes what comes."""
        try:
            while data := source.recv(65536).replace(*self.edits):
                if not silent.is_set() and not self.loses(data):
                    target.sendall(data)
            if not silent.is_set():
                target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def go_silent(self):
        """For the connections that there are; new ones are good."""
        self.silent.set()
        self.silent = threading.Event()

    def hang(self, hangs=True):
        """Everyone may sign in, and gets no answer to a question."""
        self.loses = self.server.asks if hangs else lambda data: False

    def close(self):
        """Also a connection that comes just now: when it is used, if this is how it loses."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in self.sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # closing alone leaves it to the thread that reads
            each.close()

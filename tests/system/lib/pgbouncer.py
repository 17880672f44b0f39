# SPDX-License-Identifier: MIT
"""PgBouncer in front of a PostgreSQL server of ours."""
import os
import subprocess

from .programs import web_user
from .scratch import free_port, wait_until
from .servers import find_server

CONSOLE = "console"  # the user who may say what it does


class PgBouncer:
    def __init__(self, scratch, server, mode, **settings):
        self.scratch, self.port, self.server, self.user = scratch, free_port(), server, web_user()
        self.folder = scratch.path / "pgbouncer"
        self.folder.mkdir()
        self.process = None
        (self.folder / "users").write_text(f'"chat" "secret"\n"{CONSOLE}" "secret"\n')
        self.settings = {"listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": self.folder,
                         "auth_type": "scram-sha-256", "auth_file": self.folder / "users", "admin_users": CONSOLE,
                         "logfile": self.folder / "log", "pool_mode": mode, "default_pool_size": 20, **settings}
        self.start()

    def start(self, **settings):
        self.settings.update(settings)
        lines = [f"{name} = {value}" for name, value in self.settings.items()]
        conf = self.folder / "conf"
        conf.write_text(f"[databases]\nsite = host=127.0.0.1 port={self.server.port}\n[pgbouncer]\n" + "\n".join(lines) + "\n")
        become = []
        if self.user:  # it does not run as root
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
            become = [f"--user={self.user.pw_name}"]
        self.process = self.scratch.start([find_server("pgbouncer"), *become, conf], self.folder / "output")
        wait_until("PgBouncer answers", lambda: self.run("SHOW VERSION").returncode == 0, 20)

    def run(self, text):
        return subprocess.run(["psql", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", str(self.port), "-U", CONSOLE, "-c", text,
                               "pgbouncer"], env={**os.environ, "PGPASSWORD": "secret"}, capture_output=True, text=True,
                              check=False)

    def say(self, text):
        done = self.run(text)
        if done.returncode:
            raise AssertionError(f"{text}: {done.stderr}")
        return done.stdout

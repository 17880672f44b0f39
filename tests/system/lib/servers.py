# SPDX-License-Identifier: MIT
"""Real web servers, started from the files in conf/ with paths and mounts put in their place."""
import os
import shutil
import signal
from pathlib import Path

from .programs import SOURCE, programs, web_user
from .responder import accepts, environment
from .scratch import free_port, wait_until
from .web import Web

APACHE_MODULES = Path("/usr/lib/apache2/modules")
NGINX_PARAMS = Path("/etc/nginx/fastcgi_params")

# What the files in conf/ say, and the tests replace.
INSTALLED_RESPONDER = "/usr/local/libexec/memberchat.fcgi"
INSTALLED_COMMAND = "/usr/local/bin/memberchat"
INSTALLED_CONF = "/usr/local/etc/memberchat/memberchat.conf"
INSTALLED_SOCKET = "/run/memberchat/memberchat.sock"
MOUNT = "/chat-api"


def find_server(*names):
    for name in names:
        found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
        if found:
            return found
    raise AssertionError(f"{' or '.join(names)}: not installed")


def read_mount(name, replacements, edit=None):
    """A file of conf/; every replacement must have something to replace."""
    text = (SOURCE / "conf" / name).read_text()
    for old, new in replacements.items():
        if old not in text:
            raise AssertionError(f"conf/{name} does not mention {old}")
        text = text.replace(old, str(new))
    return edit(text) if edit else text


def apache_at_root(text):
    """A mount file of Apache with the API at / instead of /chat-api."""
    for old, new in (('<Location "/chat-api">', '<Location "/">'), ('ScriptAlias "/chat-api"', 'ScriptAlias "/"'),
                     ('memberchat.fcgi"\n<Location', 'memberchat.fcgi/"\n<Location'),
                     ("BASE_PATH /chat-api", "BASE_PATH /"), ("BASE_PATH=/chat-api", "BASE_PATH=/")):
        text = text.replace(old, new)
    return text


class WebServer(Web):
    """A running server, and how to reach it."""

    def __init__(self, scratch, argv, port, mount, **popen):
        super().__init__(port, mount)
        self.process = scratch.start(argv, scratch.path / "server.log", **popen)
        wait_until(f"{argv[0]} on port {port}", self.ready, 20)

    def ready(self):
        if not self.process.running:
            raise AssertionError(f"the web server ended: {self.process.log_text()}")
        return accepts(("127.0.0.1", self.port))


class Lighttpd(WebServer):
    """lighttpd with one mount file."""

    def __init__(self, scratch, mount_text, mount=MOUNT, site=None):
        port = free_port()
        (scratch.path / "www").mkdir()
        (scratch.path / "mount.conf").write_text(mount_text)
        conf = scratch.path / "lighttpd.conf"
        conf.write_text(f"""\
server.document-root = "{scratch.path}/www"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{scratch.path}/lighttpd-errors.log"
server.upload-dirs = ( "{scratch.path}" )
server.modules = ( "mod_access" )
include "{scratch.path}/mount.conf"
""")
        super().__init__(scratch, [find_server("lighttpd"), "-D", "-f", conf], port, mount,
                         env=environment(site))

    def restart_gracefully(self):
        self.process.send_signal(signal.SIGUSR1)


class Nginx(WebServer):
    """nginx with one mount file in its server; `upstreams` is text beside the server."""

    def __init__(self, scratch, mount_text, mount=MOUNT, upstreams=""):
        port = free_port()
        user = web_user()
        self.errors = scratch.path / "nginx-errors.log"
        temporary = scratch.path / "nginx"
        temporary.mkdir()
        if user:
            os.chown(temporary, user.pw_uid, user.pw_gid)
        (scratch.path / "fastcgi_params").symlink_to(NGINX_PARAMS)
        (scratch.path / "mount.conf").write_text(mount_text)
        paths = "\n".join(f"{module}_temp_path {temporary}/{module};"
                          for module in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
        conf = scratch.path / "nginx.conf"
        conf.write_text(f"""\
daemon off;
{f"user {user.pw_name};" if user else ""}
worker_processes 1;
pid {temporary}/pid;
error_log {self.errors} notice;
events {{ worker_connections 512; }}
http {{
access_log off;
{paths}
{upstreams}
server {{
listen 127.0.0.1:{port};
include mount.conf;
}}
}}
""")
        super().__init__(scratch, [find_server("nginx"), "-p", scratch.path, "-e", self.errors, "-c", conf],
                         port, mount, env=environment())

    def restart_gracefully(self):
        before = self.errors.read_text().count("exited with code 0")
        self.process.send_signal(signal.SIGHUP)
        wait_until("graceful restart of nginx",
                   lambda: self.errors.read_text().count("exited with code 0") > before, 20)


class Apache(WebServer):
    """Apache with one mount file, the modules it needs, and the event MPM unless there is another; `head` is for the
    server as a whole."""

    BASE_MODULES = ["authz_core", "alias", "env", "setenvif"]

    def __init__(self, scratch, mount_text, modules, mount=MOUNT, mpm="event", head=""):
        port = free_port()
        self.user = user = web_user()
        self.has_daemon = "cgid" in modules
        self.folder = scratch.path / "apache"
        self.folder.mkdir()
        self.errors = self.folder / "error.log"
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        loads = [f"LoadModule {m}_module {APACHE_MODULES}/mod_{m}.so"
                 for m in [f"mpm_{mpm}", *self.BASE_MODULES, *modules]]
        (self.folder / "www").mkdir()
        conf = self.folder / "apache.conf"
        conf.write_text("\n".join([
            *loads, f"ServerRoot {self.folder}", f"DefaultRuntimeDir {self.folder}",
            f"PidFile {self.folder}/pid", "Mutex pthread", "ServerName localhost",
            f"Listen 127.0.0.1:{port}", f"ErrorLog {self.errors}", "LogLevel info",
            f"DocumentRoot {self.folder}/www", *runtime_paths(modules, self.folder),
            *([f"User {user.pw_name}", f"Group #{user.pw_gid}"] if user else []), head,
            f"<VirtualHost 127.0.0.1:{port}>", mount_text, "</VirtualHost>", ""]))
        super().__init__(scratch, [find_server("apache2", "httpd"), "-D", "FOREGROUND", "-f", conf],
                         port, mount, env=environment())

    def ready(self):
        """mod_cgid's daemon may come later than the server, and gives its socket to the user of the server last."""
        sockets = self.folder.glob("cgid.sock*")
        return super().ready() and (not self.has_daemon or any(
            not self.user or path.stat().st_uid == self.user.pw_uid for path in sockets))

    def restart_gracefully(self):
        before = self.errors.read_text().count("resuming normal operations")
        self.process.send_signal(signal.SIGUSR1)
        wait_until("graceful restart of Apache",
                   lambda: self.errors.read_text().count("resuming normal operations") > before, 20)


def runtime_paths(modules, folder):
    """Sockets of modules that would otherwise be in /var/run."""
    paths = {"fcgid": [f"FcgidIPCDir {folder}/ipc", f"FcgidProcessTableFile {folder}/table"],
             "cgid": [f"ScriptSock {folder}/cgid.sock"]}
    return [line for module in modules for line in paths.get(module, [])]


def responder_paths(site):
    """Replacements for a mount file whose server starts the responder itself."""
    return {INSTALLED_RESPONDER: programs().responder, INSTALLED_CONF: site.conf}

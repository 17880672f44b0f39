# SPDX-License-Identifier: MIT
"""A real slapd in a scratch folder."""
import base64
import os
import signal
import subprocess
from pathlib import Path

from .programs import limit, patient
from .responder import accepts
from .scratch import free_port, freeze, wait_until
from .servers import find_server

BASE = "dc=example,dc=com"
PEOPLE = f"ou=people,{BASE}"
ROOT_DN, ROOT_PASSWORD = f"cn=admin,{BASE}", "admin-password"
READER_DN, READER_PASSWORD = f"cn=reader,{BASE}", "reader-password"
SCHEMA = Path("/etc/ldap/schema")
MODULES = Path("/usr/lib/ldap")
LOG_STATS = "256"

CONFIGURATION = """\
modulepath {modules}
moduleload back_mdb
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
pidfile {folder}/pid
argsfile {folder}/args
{head}
database mdb
suffix "{base}"
directory {folder}/data
rootdn "{root}"
rootpw {password}
maxsize 104857600
dbnosync
index objectClass,uid,cn eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by dn.exact="gidNumber={gid}+uidNumber={uid},cn=peercred,cn=external,cn=auth" read {others} by * none
"""


def ldif_value(name, value):
    """One line; base64 for whatever may not stand in it as it is (RFC 2849)."""
    data = value if isinstance(value, bytes) else value.encode()
    plain = data and all(0x20 < byte < 0x7f for byte in data) and data[:1] not in b":<"
    return f"{name}: {value}" if plain and not isinstance(value, bytes) else \
        f"{name}:: {base64.b64encode(data).decode()}"


def ldif(dn, attributes):
    """An entry; a value is text, bytes, or a list of these."""
    lines = [ldif_value("dn", dn)]
    for name, values in attributes.items():
        for value in values if isinstance(values, list) else [values]:
            lines.append(ldif_value(name, value))
    return "\n".join(lines) + "\n\n"


def escape_dn(text):
    return "".join(c if c.isalnum() else "".join(f"\\{b:02x}" for b in c.encode()) for c in text)


def person(name, where=PEOPLE, **attributes):
    """An inetOrgPerson, with cn and sn where nothing else is said; None leaves one out."""
    values = {"objectClass": "inetOrgPerson", "uid": name, "cn": f"cn of {name}", "sn": "sn", **attributes}
    return ldif(f"uid={escape_dn(name)},{where}", {k: v for k, v in values.items() if v is not None})


TREE = "".join([
    ldif(BASE, {"objectClass": ["dcObject", "organization"], "dc": "example", "o": "example"}),
    ldif(PEOPLE, {"objectClass": "organizationalUnit", "ou": "people"}),
    ldif(READER_DN, {"objectClass": ["person"], "cn": "reader", "sn": "reader",
                     "userPassword": READER_PASSWORD}),
])

MEMBERS = "".join([
    person("m1", displayName="Ann", labeledURI="https://img.example.com/1.jpg", employeeType="host",
           departmentNumber="d7"),
    person("m2"),
    person("m3", displayName="Left us", employeeType="disabled"),
])


def store_settings(uri, **more):
    """Of a store that asks this server; None takes a key away."""
    values = {"plugin": "ldap", "uri": uri, "base": PEOPLE, "bind_dn": READER_DN,
              "bind_password": READER_PASSWORD, **patient(connect_timeout=2, timeout=2), **more}
    return {key: value for key, value in values.items() if value is not None}


class Slapd:
    """A running slapd.  `head` are lines in front of the database."""

    def __init__(self, scratch, people=MEMBERS, name="slapd", head="", others="", schemes=("ldap", "ldapi"),
                 wrap=()):
        self.scratch = scratch
        self.folder = scratch.path / name
        (self.folder / "data").mkdir(parents=True)
        self.port, self.tls_port = free_port(), free_port()
        self.socket = self.folder / "ldapi"
        self.schemes = schemes
        self.wrap = wrap
        self.conf = self.folder / "slapd.conf"
        self.conf.write_text(CONFIGURATION.format(
            modules=MODULES, schema=SCHEMA, folder=self.folder, head=head, base=BASE, root=ROOT_DN,
            password=ROOT_PASSWORD, reader=READER_DN, uid=os.geteuid(), gid=os.getegid(), others=others))
        self.add_offline(TREE + people)
        self.start()

    def add_offline(self, text):
        """While no server runs."""
        path = self.folder / "add.ldif"
        path.write_text(text)
        done = subprocess.run([find_server("slapadd"), "-q", "-f", self.conf, "-l", path],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"slapadd: {done.stderr}")

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_uri(self):
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def local_uri(self):
        return "ldapi://" + str(self.socket).replace("/", "%2F")

    def listen_on(self):
        uris = {"ldap": self.uri, "ldaps": self.tls_uri, "ldapi": self.local_uri}
        return " ".join(uris[scheme] for scheme in self.schemes)

    def start(self):
        self.process = self.scratch.start(
            [*self.wrap, find_server("slapd"), "-h", self.listen_on(), "-f", self.conf, "-d", LOG_STATS],
            self.folder / "log")
        wait_until("slapd", self.ready, 20)

    def ready(self):
        if not self.process.running:
            raise AssertionError(f"slapd ended: {self.process.log_text()[-2000:]}")
        address = ("127.0.0.1", self.port) if "ldap" in self.schemes else \
            ("127.0.0.1", self.tls_port) if "ldaps" in self.schemes else self.socket
        return accepts(address)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.popen.wait(limit(10))

    def restart(self):
        self.start()

    def freeze(self):
        freeze(self.process.pid)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def log_text(self):
        return self.process.log_text()

    def count(self, text):
        """How often something stands in the server's log."""
        return self.log_text().count(text)

    def change(self, text):
        """Changes to entries, as ldapmodify(1) reads them; new ones are entries as ldif() writes them."""
        done = subprocess.run(
            [find_server("ldapmodify"), "-a", "-x", "-H", self.uri if "ldap" in self.schemes else self.local_uri,
             "-D", ROOT_DN, "-w", ROOT_PASSWORD], input=text, capture_output=True, text=True, check=False,
            env={**os.environ, "LDAPNOINIT": "1"})
        if done.returncode:
            raise AssertionError(f"ldapmodify: {done.stderr}")

    def settings(self, **more):
        """Of a store that asks this server."""
        return store_settings(**{"uri": self.uri, **more})


def tls_lines(certificate, key, authority=None, more=""):
    """For `head` of a Slapd."""
    lines = [f"TLSCertificateFile {certificate}", f"TLSCertificateKeyFile {key}"]
    if authority:
        lines.append(f"TLSCACertificateFile {authority.certificate}")
    return "\n".join([*lines, more])

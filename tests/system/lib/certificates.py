# SPDX-License-Identifier: MIT
"""Certificates for tests, made by openssl."""
import subprocess

from .servers import find_server


class Authority:
    """A CA with a folder of its own, readable for every server's user."""

    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.name = name
        self.count = 0
        self.certificate = self.folder / "ca.pem"
        self.key = self.folder / "ca.key"
        self.openssl("req", "-x509", *self.new_key(self.key), "-subj", f"/CN={name}", "-days", "30",
                     "-addext", "basicConstraints=critical,CA:TRUE", "-out", self.certificate)

    def openssl(self, *arguments):
        done = subprocess.run([find_server("openssl"), *map(str, arguments)], capture_output=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr.decode())

    @staticmethod
    def new_key(path):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path

    def issue(self, subject="127.0.0.1", names="IP:127.0.0.1,DNS:localhost", days=30):
        """Certificate and key files of somebody; days 0: it expires at once."""
        self.count += 1
        certificate, key, request, extensions = (
            self.folder / f"{self.count}.{kind}" for kind in ("pem", "key", "csr", "ext"))
        extensions.write_text(f"subjectAltName={names}\n" if names else "")
        self.openssl("req", "-new", *self.new_key(key), "-subj", f"/CN={subject}", "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                     "-set_serial", self.count, "-days", days, "-extfile", extensions, "-out", certificate)
        key.chmod(0o640)
        return certificate, key

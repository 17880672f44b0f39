# SPDX-License-Identifier: MIT
"""Keys lie in memory that is locked and not dumped, and nothing of them is left after a reload."""
import base64
import json
import os
import resource
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from lib.case import FreshCase, at_once
from lib.fcgi import request_pairs
from lib.memory import find, hmac_states, mappings, number_forms
from lib.programs import limit, programs
from lib.responder import command, environment
from lib.scratch import wait_until
from lib.site import APP, GUEST_PATH
from lib.tokens import unpadded


class KeyMemory(FreshCase):
    """Of a process that root looks into; the scan finds what it looks for, which is tried first."""

    def keygen(self, algorithm, name):
        path = self.site.folder / "keys" / name
        done = command("keygen", "-L", programs().plugins, algorithm, "--key-id", "k", path)
        self.assertEqual(0, done.returncode, done.stderr)
        return path

    def serve(self, algorithm, path, **more):
        self.site.settings["apps"][APP]["token"] = {"algorithm": algorithm, "key_file": f"keys/{path.name}"}
        self.site.write()
        self.responder = self.start(**more)
        self.pid = self.responder.process.pid

    def ask_much(self):
        """From several threads at once, each of which may keep something of the key."""
        answers = at_once(8, lambda _: [self.responder.post(GUEST_PATH, self.site.auth()).status for _ in range(20)])
        self.assertEqual([[200] * 20] * 8, answers)

    @property
    def is_sanitized(self):
        """Then memory is full of copies, and dumps are allowed."""
        return "there is no sandbox" in self.responder.log_text()

    def expect_in_vault(self, patterns):
        if self.is_sanitized:
            return
        places = find(self.pid, patterns)
        self.assertTrue(places, "the key is nowhere: is this scan any good?")
        self.assertEqual([], [place for place in places if not place[1].is_vault])

    def expect_nowhere(self, patterns):
        """A thread may be about to give the old settings back."""
        if not self.is_sanitized:
            wait_until(f"{list(patterns)} are gone", lambda: not find(self.pid, patterns), 5)

    def reload_with(self, path):
        before = self.responder.log_text().count(": loaded")
        self.site.change_app(APP, token={"key_file": f"keys/{path.name}"})
        self.responder.process.send_signal(1)
        self.responder.expect_log(": loaded", times=before + 1)
        self.ask_much()  # nobody holds the old settings any more

    def locked_kib(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmLck:"):
                return int(line.split()[1])
        raise AssertionError("no VmLck")

    def secret_of(self, path):
        return unpadded(json.loads(path.read_text())["k"])

    def run_secrets(self, old, new, secrets):
        """`secrets`: of both files."""
        self.serve("HS256", old)
        self.ask_much()
        self.assertTrue(self.is_sanitized or self.locked_kib() > 0)
        for path, secret in zip((old, new), secrets):
            if path == new:
                self.reload_with(new)
                self.expect_nowhere(hmac_states(secrets[0]))
            self.expect_in_vault(hmac_states(secret))
            # the secret itself is not needed once it is read
            self.expect_nowhere({"raw": secret, "base64url": base64.urlsafe_b64encode(secret).rstrip(b"=")})

    def test_secrets_of_jwks(self):
        paths = [self.keygen("HS256", name) for name in ("a.jwk", "b.jwk")]
        self.run_secrets(*paths, [self.secret_of(path) for path in paths])

    def test_raw_secrets(self):
        secrets = [bytes(range(1, 41)), bytes(range(100, 140))]
        paths = [self.site.put(f"keys/{number}.raw", secret, 0o600) for number, secret in enumerate(secrets)]
        self.run_secrets(*paths, secrets)

    def run_private(self, algorithm, kind, patterns_of, also_of=lambda path: {}):
        """`also_of`: what libcrypto keeps in other places, too, as long as it has the key."""
        old, new = (self.keygen(algorithm, f"{name}.{kind}") for name in "ab")
        self.serve(algorithm, old)
        self.ask_much()
        self.expect_in_vault(patterns_of(old))
        self.expect_nowhere(self.as_text(old))
        self.reload_with(new)
        self.expect_nowhere({**patterns_of(old), **also_of(old), **self.as_text(old)})
        self.expect_in_vault(patterns_of(new))

    @staticmethod
    def as_text(path):
        """A line of the file that is not of the public half."""
        text = path.read_text()
        if path.suffix == ".jwk":
            return {"d": json.loads(text)["d"].encode()}
        return {"PEM": text.splitlines()[1][20:].encode()}

    @staticmethod
    def private_numbers(path):
        text = path.read_bytes()
        if path.suffix == ".jwk":
            return int.from_bytes(unpadded(json.loads(text)["d"]), "big")
        return serialization.load_pem_private_key(text, None).private_numbers().private_value

    def test_es256_pem(self):
        self.run_private("ES256", "pem", lambda path: number_forms(self.private_numbers(path), 32))

    def test_es256_jwk(self):
        self.run_private("ES256", "jwk", lambda path: number_forms(self.private_numbers(path), 32))

    def test_eddsa_pem(self):
        def seed(path):
            key = serialization.load_pem_private_key(path.read_bytes(), None)
            return {"seed": key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                              serialization.NoEncryption())}
        self.run_private("EdDSA", "pem", seed)

    def test_eddsa_jwk(self):
        self.run_private("EdDSA", "jwk", lambda path: {"seed": unpadded(json.loads(path.read_text())["d"])})

    @staticmethod
    def rsa_number(path, name, length):
        if path.suffix == ".jwk":
            value = int.from_bytes(unpadded(json.loads(path.read_text())[name]), "big")
        else:
            value = getattr(serialization.load_pem_private_key(path.read_bytes(), None).private_numbers(), name)
        return {f"{name}, {form}": pattern for form, pattern in number_forms(value, length).items()}

    def run_rsa(self, kind):
        self.run_private("RS256", kind, lambda path: self.rsa_number(path, "d", 256), lambda path: {
            **self.rsa_number(path, "p", 128), **self.rsa_number(path, "q", 128)})

    def test_rs256_pem(self):
        self.run_rsa("pem")

    def test_rs256_jwk(self):
        self.run_rsa("jwk")

    def beside_a_rest_store(self):
        """Whose library starts OpenSSL before the first key is read."""
        self.site.settings["stores"]["far"] = {"plugin": "rest", "url": "https://127.0.0.1:1/{id}"}

    def test_es256_beside_a_rest_store(self):
        self.beside_a_rest_store()
        self.test_es256_pem()

    def test_rs256_beside_a_rest_store(self):
        self.beside_a_rest_store()
        self.run_rsa("jwk")

    def test_no_dump(self):
        self.serve("HS256", self.keygen("HS256", "a.jwk"))
        if self.is_sanitized:
            return
        limits = Path(f"/proc/{self.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        self.assertEqual(0, Path(f"/proc/{self.pid}/mem").stat().st_uid)  # of one that is not dumpable
        self.assertTrue(any(mapping.is_vault for mapping in mappings(self.pid)))

    def test_where_nothing_may_be_locked(self):
        """The keys serve all the same, and are wiped."""
        nothing = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))}
        for algorithm, kind in (("HS256", "jwk"), ("ES256", "pem")):
            with self.subTest(algorithm=algorithm):
                self.serve(algorithm, self.keygen(algorithm, f"{algorithm}.{kind}"), **nothing)
                self.ask_much()
                self.responder.process.stop()


class KeyMemoryOfCgi(FreshCase):
    """A process of one request: it is stopped where it waits for the body, with its key in hand."""

    def begin(self, program):
        env = environment(self.site, **dict(request_pairs("POST", GUEST_PATH, self.site.auth(), b"{}")))
        process = subprocess.Popen([program], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_program(self, program):
        secret = bytes(range(1, 41))
        self.site.put("keys/cgi.raw", secret, 0o600)
        self.site.change_app(APP, token={"algorithm": "HS256", "key_file": "keys/cgi.raw"})
        process = self.begin(program)
        wait_until("the key is there", lambda: find(process.pid, hmac_states(secret)), limit(10))
        self.assertEqual([], find(process.pid, {"raw": secret}))
        self.assertIn("VmLck:\t       0 kB", Path(f"/proc/{process.pid}/status").read_text())
        self.assertRegex(Path(f"/proc/{process.pid}/limits").read_text(), r"Max core file size +0 +0 ")
        self.assertEqual(0, Path(f"/proc/{process.pid}/mem").stat().st_uid)  # of one that is not dumpable
        output, _ = process.communicate(b"{}", limit(10))
        self.assertIn(b"chatToken", output)

    def is_sanitized(self):
        with open(programs().folder / "memberchat.fcgi", "rb") as program:
            return any(mark in program.read() for mark in (b"__asan_init", b"__tsan_init"))

    def test_responder(self):
        if not self.is_sanitized():
            self.run_program(programs().folder / "memberchat.fcgi")

    def test_static_program(self):
        program = Path(os.environ["MEMBERCHAT_BUILD"]) / "src" / "memberchat.cgi"
        if program.exists() and not self.is_sanitized():
            self.run_program(program)

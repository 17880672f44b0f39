# SPDX-License-Identifier: MIT
"""The administrator's command: lookup, token, new-app, help."""
import json
import os
import pty
import re
import select
import subprocess

from lib.answer import Answer, basic
from lib.case import FreshCase
from lib.programs import programs, web_user
from lib.responder import command, environment, run
from lib.site import APP, GUEST_PATH, KEY, SECRET
from lib.tokens import MEMBERS_OF_AN_ANSWER

SUBCOMMANDS = ("check", "doctor", "lookup", "token", "verify", "new-app", "new-secret", "new-store", "deny", "allow", "keygen",
               "index", "status", "log")


class CommandCase(FreshCase):
    def call(self, name, *arguments):
        return command(name, "-c", self.site.conf, *arguments)


class Exposed(CommandCase):
    def test_a_web_server_may_not_run_it(self):
        """The query would be its arguments: /cgi-bin/memberchat?new-app+x"""
        for name in ("SCRIPT_NAME", "SCRIPT_FILENAME"):
            more = {"GATEWAY_INTERFACE": "CGI/1.1", name: "/cgi-bin/memberchat"}
            done = command("new-app", "x", env=environment(self.site, **more))
            self.assertEqual((1, True), (done.returncode, done.stdout.startswith("Status: 404 Not Found\r\n")))
            self.assertNotIn("secret", done.stdout)
            self.assertIn("a web server runs this command", done.stderr)
            done = command("new-app", "x", env=environment(self.site, **{**more, name: "/admin/new-app.php"}))
            self.assertIn("API secret:", done.stdout)


class Lookup(CommandCase):
    def test_found(self):
        done = self.call("lookup", "members", "1")
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        member = json.loads(done.stdout)
        self.assertIn("1", member.values())
        self.assertIn("foobar1", member.values())

    def test_not_found(self):
        for user in ("nobody", "3", "x" * 129, ""):
            with self.subTest(user=user):
                self.assertEqual(1, self.call("lookup", "members", user).returncode)

    def test_unavailable(self):
        self.site.put("state", "down")
        self.site.write({"stores": {"slow": {"plugin": "slow", "state_path": "state"}}})
        done = self.call("lookup", "slow", "u1")
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertTrue(done.stderr.startswith("memberchat: "))

    def test_misconfigured(self):
        self.site.put("members.csv", "name,picture\nx,y\n")
        done = self.call("lookup", "members", "1")
        self.assertEqual(3, done.returncode, done.stderr)
        self.assertIn("appUserId", done.stderr)

    def test_store_that_is_not_there(self):
        done = self.call("lookup", "nothing", "1")
        self.assertNotIn(done.returncode, (0, 1, 2))
        self.assertIn("nothing", done.stderr)

    def test_bad_configuration(self):
        self.site.write({"treads": 1})
        done = self.call("lookup", "members", "1")
        self.assertEqual(3, done.returncode)
        self.assertIn("treads: unknown key", done.stderr)


class Index(CommandCase):
    def test_who_may_read_it(self):
        """Whoever may read the text file, and nobody else."""
        user = web_user()
        os.chown(self.site.members, -1, user.pw_gid if user else os.getgid())
        self.site.members.chmod(0o640)
        done = command("index", self.site.members)
        self.assertEqual(0, done.returncode, done.stderr)
        text, compiled = (os.stat(path) for path in (self.site.members, self.site.folder / "members.cdb"))
        self.assertEqual((text.st_gid, text.st_mode), (compiled.st_gid, compiled.st_mode))

    def test_separator_and_encoding(self):
        self.site.put("members.csv", "appUserName;appUserId\nJörg, 5 €;new\n".encode("cp1252"))
        done = command("index", "--separator", ";", "--encoding", "cp1252", self.site.members)
        self.assertEqual((0, f"{self.site.folder}/members.cdb: 1 member\n"), (done.returncode, done.stdout))
        self.site.write({"stores": {"members": {"path": "members.cdb"}}})
        done = self.call("lookup", "members", "new")
        self.assertIn("Jörg, 5 €", done.stdout)

    def test_result_that_cannot_be_told(self):
        """Then the compiled file is what it was, as the exit status says."""
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([programs().command, "index", self.site.members], stdout=full, stderr=subprocess.PIPE,
                                  check=False)
        self.assertEqual(1, done.returncode)
        ours, theirs = pty.openpty()
        os.close(ours)
        with open(theirs, "wb", buffering=0) as terminal:
            done = subprocess.run([programs().command, "index", self.site.members], stdout=terminal, stderr=subprocess.PIPE,
                                  check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn(b"standard output: Input/output error", done.stderr)
        self.assertEqual([], [path.name for path in self.site.folder.iterdir() if ".cdb" in path.name])


class Token(CommandCase):
    def answer(self, *arguments):
        """The command's output as if it were an answer of the API."""
        done = self.call("token", APP, *arguments)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        headers = {"content-type": ["application/json"], "cache-control": ["no-store"],
                   "x-content-type-options": ["nosniff"], "x-request-id": ["-"]}
        return Answer(200, headers, done.stdout.encode())

    def test_member(self):
        self.site.check(self.answer("--member", "2"), user="2", name="foobar2")

    def test_guest(self):
        self.site.check(self.answer("--guest"), role="guest")
        answer = self.answer("--guest", "--id", "g1", "--name", "Anna", "--avatar", "https://x.example/a.png")
        self.assertEqual(MEMBERS_OF_AN_ANSWER, list(answer.json))
        self.site.check(answer, user="g1", name="Anna", avatar="https://x.example/a.png", role="guest")

    def test_refusals(self):
        for arguments in ((APP, "--member", "nobody"), ("nothing", "--guest"), (APP,), (APP, "--guest", "--id", "a-b"),
                          (APP, "--guest", "--member", "1"), (APP, "--guest", "--name", "x" * 257), (),
                          (APP, "--member", "1", "--name", "x")):
            with self.subTest(arguments=[a[:20] for a in arguments]):
                done = self.call("token", *arguments)
                self.assertNotEqual(0, done.returncode)
                self.assertEqual("", done.stdout)
                self.assertIn("memberchat: ", done.stderr)

    def test_no_guests(self):
        self.site.change_app(guests=False)
        self.assertNotEqual(0, self.call("token", APP, "--guest").returncode)


class NewApp(CommandCase):
    """What it prints works when it is pasted."""

    def printed(self, name="shop-1"):
        done = self.call("new-app", name)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout + done.stderr, done.stdout

    def test_pasted_block(self):
        everything, text = self.printed()
        block = re.search(r"(?ms)^[ \t]*shop-1\s*=\s*\{.*^[ \t]*\}", text)
        self.assertIsNotNone(block, text)
        key, secret = self.credentials(everything, block.group(0))
        self.paste(block.group(0))
        answer = self.start().post(GUEST_PATH, basic(key, secret), b"{}")
        self.assertEqual((200, "shop-1"), (answer.status, answer.json.get("appId")), answer)

    def credentials(self, text, block):
        """Key from the block, secret from the one other line that shows it."""
        key = re.search(r'api_key\s*=\s*"([^"]+)"', block).group(1)
        outside = text.replace(block, "")
        secret = re.search(r"(?i)secret[^\n]*?[:=]\s*\"?([A-Za-z0-9_-]{20,})", outside).group(1)
        self.assertNotIn(secret, block)
        return key, secret

    def paste(self, block):
        """Into the configuration, with the key file that the block names and a store of ours."""
        key_file = re.search(r'key_file\s*=\s*"([^"]+)"', block).group(1)
        if not (self.site.folder / key_file).exists():
            self.site.put(key_file, "k" * 64, 0o600)
        block = re.sub(r'chat_server_url\s*=\s*"[^"]*"', 'chat_server_url = "wss://chat.example.com/ws"', block)
        block = re.sub(r'\bstore\s*=\s*"[^"]*"', 'store = "members"', block)
        text = self.site.text()
        self.site.put("memberchat.conf", text.rstrip().removesuffix("}") + block + "\n}\n")

    def test_never_the_same_twice(self):
        self.assertNotEqual(self.printed()[0], self.printed()[0])

    def test_bad_names(self):
        for name in ("", "a b", "a/b", "1a", "ü", "x" * 300, "--", "a;b"):
            with self.subTest(name=name[:10]):
                done = self.call("new-app", name)
                self.assertNotEqual(0, done.returncode)
                self.assertNotIn("api_key", done.stdout)


class NewSecret(CommandCase):
    """A second secret beside the first."""

    def test_printed_setting_works(self):
        done = self.call("new-secret", APP)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        fresh = re.search(r"API secret: (\S+)", done.stdout).group(1)
        digests = re.findall(r'"([0-9a-f]{64})"', done.stdout)
        self.assertEqual(2, len(digests), done.stdout)
        self.site.change_app(api_secret=None, api_secret_sha256=digests)
        responder = self.start()
        for secret in (SECRET, fresh):
            self.assertEqual(200, responder.post(GUEST_PATH, basic(KEY, secret), b"{}").status)
        done = self.call("new-secret", APP)
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertIn("has two secrets", done.stderr)

    def test_app_that_is_not_there(self):
        done = self.call("new-secret", APP + "x")
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertIn(f'did you mean "{APP}"', done.stderr)


class Output(CommandCase):
    """What could not be printed is no success."""

    def calls(self):
        token = json.loads(self.call("token", APP, "--guest").stdout)["chatToken"]
        return (("check",), ("lookup", "members", "1"), ("token", APP, "--guest"), ("verify", APP, token),
                ("new-app", "x"), ("new-secret", APP), ("keygen", "HS256", self.site.folder / "a.jwk"),
                ("index", self.site.members), ("check", "--help"), ("--help",), ("--version",))

    def test_full_and_closed(self):
        for how in ("> /dev/full", ">&-"):
            for call in self.calls():
                with self.subTest(how=how, call=call[0]):
                    (self.site.folder / "a.jwk").unlink(missing_ok=True)
                    done = run(["/bin/sh", "-c", f'exec "$@" {how}', "sh", programs().command, *call],
                               env=environment(self.site))
                    self.assertEqual(1 if call[0] == "index" else 74, done.returncode, done.stderr)
                    self.assertIn(b"memberchat: standard output cannot be written: ", done.stderr)
        self.assertFalse((self.site.folder / "members.cdb").exists())

    def test_nothing_of_ours_becomes_standard_output(self):
        """A file that is opened while descriptor 1 is closed would get it."""
        path = self.site.folder / "a.jwk"
        done = run(["/bin/sh", "-c", 'exec "$@" >&- 2>&- <&-', "sh", programs().command, "keygen", "HS256", path],
                   env=environment())
        self.assertEqual(74, done.returncode)
        self.assertEqual("oct", json.loads(path.read_text())["kty"])


class Colour(CommandCase):
    """On a terminal that can show it, and nowhere else."""

    def on_terminal(self, *arguments, **more):
        """What a terminal shows of a command."""
        ours, theirs = pty.openpty()
        with open(ours, "rb", buffering=0) as reader:
            with open(theirs, "wb", buffering=0) as terminal:
                subprocess.run([programs().command, *arguments], env=environment(self.site, **more), stdin=terminal,
                               stdout=terminal, stderr=terminal, check=False)
            shown = b""
            while select.select([reader], [], [], 0)[0]:
                try:
                    shown += reader.read(65536)
                except OSError:  # the other side is closed
                    break
        return shown.decode()

    def test_on_a_terminal(self):
        self.assertIn(": \033[32mok\033[0m", self.on_terminal("check", "--online", TERM="xterm"))
        self.assertIn("\033[31mmemberchat:\033[0m ", self.on_terminal("no-such", TERM="xterm"))
        self.assertIn("\033[32mok:\033[0m ", self.on_terminal("doctor", TERM="xterm", NO_COLOR=""))

    def test_where_none_is_wanted(self):
        for more in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}, {}):
            with self.subTest(more=more):
                for call in (("check",), ("no-such",), ("doctor",)):
                    self.assertNotIn("\033", self.on_terminal(*call, **more))

    def test_in_a_pipe(self):
        for call in (("check", "--online"), ("no-such",), ("doctor",)):
            done = command(*call, env=environment(self.site, TERM="xterm"))
            self.assertNotIn("\033", done.stdout + done.stderr)


class Help(CommandCase):
    def test_each(self):
        for name in SUBCOMMANDS:
            with self.subTest(name=name):
                done = command(name, "--help")
                self.assertEqual((0, ""), (done.returncode, done.stderr))
                self.assertIn(f"usage: memberchat {name} ", done.stdout)
                self.assertRegex(done.stdout, rf"\nExamples:\n  .*memberchat {name} ")
                self.assertRegex(done.stdout, r"\nExit: 0 (?s:.*), 74 ")

    def test_all(self):
        done = command("--help")
        self.assertEqual(0, done.returncode)
        for name in SUBCOMMANDS:
            self.assertIn(name, done.stdout)

    def test_other_ways_to_ask(self):
        def shown(*arguments):
            done = command(*arguments)
            self.assertEqual((0, ""), (done.returncode, done.stderr), arguments)
            return done.stdout
        self.assertEqual({shown("--help")}, {shown("help"), shown("-h")})
        self.assertIn("configuration (by default /a/b.conf)\n", command("help", env=environment(MEMBERCHAT_CONF="/a/b.conf")).stdout)
        for name in SUBCOMMANDS:
            self.assertEqual({shown(name, "--help")}, {shown("help", name), shown(name, "-h"), shown(name, "x", "--help")})
        for arguments in (("chek",), ("help", "chek"), ("--help", "chek")):
            done = command(*arguments)
            self.assertEqual((64, ""), (done.returncode, done.stdout))
            self.assertEqual('memberchat: there is no command "chek" (did you mean "check"?): "memberchat help" lists them\n', done.stderr)
        self.assertIn('there is no app "x"', command("deny", "-c", self.site.conf, "x", "--", "--help").stderr)

    def test_all_are_known_here(self):
        listed = re.findall(r"^  ([a-z][-a-z]*) +[A-Z]", command("--help").stdout, re.M)
        self.assertEqual([], [name for name in listed if name not in SUBCOMMANDS and name not in ("status", "log")])

    def test_mistakes(self):
        for arguments in ((), ("no-such",), ("chek",), ("check", "--no-such"), ("check", "surplus"), ("lookup",),
                          ("lookup", "members"), ("new-app",), ("check", "-c")):
            with self.subTest(arguments=arguments):
                done = command(*arguments)
                self.assertNotIn(done.returncode, (0, -11, -6))
                self.assertEqual("", done.stdout)
                self.assertTrue(done.stderr.strip())

    def test_what_was_meant(self):
        for arguments, meant in ((("chek",), "check"), (("check", "--onlin"), "--online"),
                                 (("doctor", "--secret"), "--secret-file"), (("lookup", "membres", "1", "-c", self.site.conf), "members"),
                                 (("token", "fll-dev-1", "--guest", "-c", self.site.conf), APP)):
            with self.subTest(arguments=arguments[:2]):
                done = command(*arguments)
                self.assertNotEqual(0, done.returncode)
                self.assertIn(f'did you mean "{meant}"?', done.stderr)

    def test_plugin_folder(self):
        done = command("check", "-c", self.site.conf, "-L", self.scratch.path)
        self.assertEqual(1, done.returncode)
        self.assertIn(str(self.scratch.path), done.stdout + done.stderr)

# SPDX-License-Identifier: MIT
"""What the subcommands of the administrator's command refuse, and in which words."""
import os
import resource

from lib.programs import programs, web_user
from lib.responder import as_user, command, environment, run
from lib.site import APP, MEMBERS
from test_command import SUBCOMMANDS, CommandCase

USAGE = 64


class Refusals(CommandCase):
    def refused(self, code, words, name, *arguments, **more):
        done = command(name, "-c", self.site.conf, *arguments, **more)
        self.assertEqual((code, ""), (done.returncode, done.stdout), done.stderr)
        self.assertIn(words, done.stderr)
        self.assertTrue(done.stderr.startswith("memberchat: ") or code == USAGE or "memberchat.conf:" in done.stderr, done.stderr)

    def test_options(self):
        for name in SUBCOMMANDS:
            self.refused(USAGE, f"memberchat {name} has no option --no-such", name, "--no-such")
            self.assertEqual(0, command(name, "-h").returncode)
        for name, option in (("doctor", "--user"), ("token", "--id"), ("keygen", "--key-id"), ("index", "--separator"),
                             ("deny", "--until"), ("log", "--member")):
            self.refused(USAGE, f"{option} needs a value", name, option)

    def test_words(self):
        for arguments in (("lookup", "members"), ("verify", APP), ("keygen", "HS256"), ("index",), ("new-store", "wordpress"),
                          ("new-app",), ("new-secret",), ("deny", APP), ("allow", APP), ("log", "--member", "1"),
                          ("token", APP), ("token", "--guest"), ("token", APP, "--member", "1", "--id", "2"),
                          ("token", APP, "--member", "1", "--avatar", "x"), ("index", "x.csv", "--separator", "x")):
            with self.subTest(arguments=arguments):
                self.refused(USAGE, f"usage: memberchat {arguments[0]} ", *arguments)
        for name in ("status", "check", "doctor"):
            self.refused(USAGE, '"surplus" is one argument too many', name, "surplus")

    def test_without_a_configuration(self):
        self.site.conf.unlink()
        for code, *arguments in ((1, "token", APP, "--guest"), (1, "verify", APP, "x"), (1, "new-secret", APP), (1, "deny", APP, "1"),
                                 (1, "allow", APP, "1"), (2, "status"), (3, "lookup", "members", "1"), (1, "check")):
            self.refused(code, "No such file", *arguments)

    def test_without_the_app(self):
        for arguments in (("token", "x", "--guest"), ("verify", "x", "y"), ("new-secret", "x"), ("deny", "x", "1")):
            self.refused(1, 'there is no app "x"', *arguments)

    def test_lookup(self):
        bad = {"opens": {"plugin": "bad_openfails"}, "outcome": {"plugin": "bad_outcome"},
               "mute": {"plugin": "slow", "state_path": "state"},
               "asked": {"plugin": "file", "path": "members.csv", "member": {"asked": ["before @"]}}}
        self.site.put("state", "mute")
        self.site.write({"stores": bad})
        for code, words, *arguments in (
                (3, "store opens: misconfigured: the directory of this store is a fiction", "opens", "1"),
                (3, "store outcome: misconfigured: the store plugin returned the outcome 99", "outcome", "ninety-nine"),
                (2, "store mute: unavailable: no reason given", "mute", "1"),
                (1, 'store asked: there is no member ""', "asked", "@x"),
                (1, "no member has such an id", "members", "a\nb")):
            self.refused(code, words, "lookup", *arguments)

    def test_token(self):
        self.refused(1, "MEMBER_NOT_FOUND", "token", APP, "--member", "x" * 1000)
        self.site.write({"stores": {"opens": {"plugin": "bad_openfails"}}})
        self.site.change_app(store="opens")
        self.refused(1, "the directory of this store is a fiction", "token", APP, "--member", "1")

    def test_verify(self):
        self.refused(1, "standard input cannot be read, or is larger than 65536 bytes", "verify", APP, "-", stdin=b"x" * 70000)
        self.refused(1, "the token is not good", "verify", APP, "-", stdin=b"x" * 65536)
        done = run(["/bin/sh", "-c", 'exec "$@" < /', "sh", programs().command, "verify", "-c", self.site.conf, APP, "-"])
        self.assertEqual((1, b""), (done.returncode, done.stdout))
        self.assertIn(b"standard input cannot be read", done.stderr)

    def test_keygen(self):
        for algorithm, name, words in (("ES512K", "a.jwk", '"ES512K" is not an algorithm; it must be one of: HS256'),
                                       ("HS256", "members.csv", "members.csv cannot be made: File exists: no key is overwritten"),
                                       ("HS256", "none/a.jwk", "none/a.jwk cannot be made: No such file or directory: make its folder"),
                                       ("HS256", "a.pem", "a secret cannot be PEM")):
            self.refused(1, words, "keygen", algorithm, self.site.folder / name)
        self.assertEqual(MEMBERS, self.site.members.read_text())

    def test_index(self):
        self.site.put("a", MEMBERS)
        done = command("index", "a", cwd=self.site.folder)
        self.assertEqual((0, "a.cdb: 8 members\n"), (done.returncode, done.stdout), done.stderr)
        self.site.put("people.txt", MEMBERS + '9,"Ann\n')
        done = command("index", "people.txt", cwd=self.site.folder)
        self.assertEqual((0, "people.txt.cdb: 8 members\n"), (done.returncode, done.stdout), done.stderr)
        self.assertRegex(done.stderr, r"^memberchat: people\.txt:10: ")
        for words, *arguments in (("the encoding \"klingon\" is not known", "members.csv", "--encoding", "klingon"),
                                  ("none.csv cannot be read: No such file", "none.csv"),
                                  ("none/a.cdb: No such file or directory: make its folder (mkdir)", "members.csv", "none/a.cdb"),
                                  ("keys", "members.csv", "keys")):
            with self.subTest(arguments=arguments):
                done = command("index", *arguments, cwd=self.site.folder)
                self.assertEqual(1, done.returncode, done.stdout)
                self.assertIn(words, done.stderr)
        self.assertEqual(["a.cdb", "people.txt.cdb"], sorted(path.name for path in self.site.folder.iterdir() if ".cdb" in path.name))

    def test_new_app(self):
        self.assertEqual(0, command("new-app", "shop_1").returncode)
        self.refused(1, "cannot be the name of a group", "new-app", "shop.1")

    def test_status(self):
        self.refused(2, "status.file is not set", "status")
        self.site.write({"status": {"file": "figures"}})
        self.refused(2, "figures cannot be read: No such file", "status")
        for content in ("", "something else" * 1000):
            self.site.put("figures", content)
            self.refused(2, f"{self.site.folder}/figures", "status")

    def test_log(self):
        self.site.put("log", "2026-11-25T21:40:11.123Z info - 192.0.2.1 POST member - - 401 INVALID_APP_CREDENTIALS - - 63 612\n"
                             "t memberchat[7] info: [r1] about it\n"
                             "2026-11-25T21:40:12.123Z info r1 192.0.2.1 POST guest shop - 499 NEW_CODE - - 63 612\n"
                             "t memberchat[7] info: [r1] one more\n"
                             "2026-11-25T21:40:12.123Z info r1 192.0.2.1 POST guest shop - 499 NEW_CODE - - 63 612\n"
                             "t memberchat[7] info: [r2] another\n"
                             "2026-11-25T21:40:12.123Z info r3 192.0.2.1 POST guest - - 401 EMPTY_APP_CREDENTIALS - - 63 612\n"
                             "2026-11-25T21:40:12.123Z info r4 192.0.2.1 POST member shop - 403 MEMBER_DENIED - - 63 612")
        for request, told in (("r1", "a guest of app shop: no token (499 NEW_CODE)\n    This version does not know that outcome."),
                              ("r3", "somebody: no token (401 EMPTY_APP_CREDENTIALS)"),
                              ("r4", "a member of app shop: no token (403 MEMBER_DENIED)")):
            done = self.call("log", self.site.folder / "log", "--request", request)
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn(told, done.stdout)
            self.assertEqual(2 if request == "r1" else 0, done.stdout.count("the log: info: "), done.stdout)
            self.assertEqual(1, done.stdout.count("no token ("))
        self.refused(1, 'says nothing of the request "r2"', "log", self.site.folder / "log", "--request", "r2")
        self.refused(1, 'says nothing of the member "-"', "log", self.site.folder / "log", "--member", "-")
        self.site.put("log", "t memberchat[7] info: app shop: no token for member 4711: MEMBER_DENIED\n")
        done = self.call("log", self.site.folder / "log", "--member", "4711")
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertNotIn("the log: ", done.stdout)
        self.refused(2, "cannot be read: Is a directory: name the file itself", "log", self.site.folder, "--member", "1")
        self.refused(2, "nothing cannot be read: No such file or directory: make it, or correct its path", "log", "nothing", "--member", "1")

    def test_who_may_become_whom(self):
        user = web_user()
        if not user:
            self.skipTest("needs root")
        self.site.give_to(user)
        self.refused(1, "only root can check for another user", "doctor", "--user", "root", **as_user(user))
        done = self.call("doctor", "--user", user.pw_name, **as_user(user))
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_root_that_may_not_become_somebody(self):
        if not web_user():
            self.skipTest("needs root")
        for lost in ("setgid", "setuid"):
            done = run(["setpriv", f"--bounding-set=-{lost}", programs().command, "doctor", "--user", web_user().pw_name])
            self.assertEqual((1, b""), (done.returncode, done.stdout))
            self.assertIn(b": Operation not permitted", done.stderr)

    def call(self, name, *arguments, **more):
        return command(name, "-c", self.site.conf, *arguments, **more)


class Exposed(CommandCase):
    def test_found_by_its_name(self):
        """In a folder of PATH, or named without one."""
        for script, answer in (("memberchat", b"Status: 404 "), ("/cgi-bin/memberchat", b"Status: 404 "), ("other", b"API key: ")):
            env = environment(GATEWAY_INTERFACE="CGI/1.1", SCRIPT_NAME=script)
            done = run(["memberchat", "new-app", "x"], executable=programs().command, env=env)
            self.assertTrue(done.stdout.startswith(answer), done.stdout)


class DeniedFile(CommandCase):
    """deny and allow: a list that cannot be read or written stays as it is."""

    def setUp(self):
        super().setUp()
        self.site.change_app(denied_file="denied.txt")

    def refused(self, *words, **more):
        done = self.call("deny", APP, "2", **more)
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual([], [path.name for path in self.site.folder.glob("denied.txt.*")])

    def call(self, name, *arguments, **more):
        return command(name, "-c", self.site.conf, *arguments, **more)

    def test_paths(self):
        for path, *words in (("members.csv/denied.txt", "cannot be opened: Not a directory"),
                             ("keys", "is not a file"),
                             (300 * "x", "cannot be read: File name too long"),
                             (f"{100 * 'folder-that-is-long-but-not-too-long-for-one/'}x", "the path is too long")):
            with self.subTest(path=path[:20]):
                self.site.change_app(denied_file=path)
                self.refused(*words)

    def test_large(self):
        """More than fits: what was written of the new list goes away again."""
        text = "# the longest of all lists\n" * 400_000
        denied = self.site.put("denied.txt", text)
        self.refused("cannot be written: File too large",
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20)))
        self.assertEqual(len(text), denied.stat().st_size)

    def test_owner_and_group(self):
        user = web_user()
        if not user:
            self.skipTest("needs root")
        self.site.give_to(user)
        denied = self.site.folder / "denied.txt"
        os.chown(self.site.folder, user.pw_uid, 12345)
        self.assertEqual(0, self.call("deny", APP, "1", **as_user(user)).returncode)
        self.assertEqual(user.pw_gid, denied.stat().st_gid)  # that of the folder is not one of the user's
        os.chown(denied, 0, user.pw_gid)
        self.refused("its owner, group or mode cannot be kept", **as_user(user))
        os.chown(denied, 0, 12345)
        self.assertEqual(0, self.call("deny", APP, "2").returncode)
        self.assertEqual((0, 12345), (denied.stat().st_uid, denied.stat().st_gid))
        os.chown(denied, user.pw_uid, user.pw_gid)
        os.chown(self.site.folder, 0, 0)
        self.refused("cannot be written: Permission denied: do it as root, or as a user who may write in its folder", **as_user(user))
        self.assertEqual("1\n2\n", denied.read_text())


class NewStore(CommandCase):
    def refused(self, product, words, *arguments):
        done = command("new-store", product, self.site.folder / "config.php", *arguments)
        self.assertEqual((1, ""), (done.returncode, done.stdout), done.stderr)
        self.assertIn(words, done.stderr)

    def test_names_of_groups(self):
        for name in ("1a", "a b", "a/b", "", "_a", "a.b"):
            self.refused("wordpress", f'"{name}" cannot be the name of a group', name)
        self.refused("drupal", '"drupal" is not wordpress, mediawiki or phpbb: groups for others are in the folder stores (memberchat-store-sql(5))')
        self.refused("wordpress", "config.php cannot be read: No such file or directory: make it, or correct its path")
        (self.site.folder / "config.php").mkdir()
        self.refused("wordpress", "config.php cannot be read: Is a directory: name the file itself")

    def test_values(self):
        wordpress = "<?php define('DB_NAME', 'a'); define('DB_HOST', 'b'); $table_prefix = 'x_';"
        phpbb = "<?php $dbname = 'a'; $dbhost = 'b'; $dbport = '1'; $table_prefix = 'x_'; $dbms = 'mysqli';"
        characters = "has characters that cannot be in a query"
        port = 'the port of the database is "{}": it must be a number or the path of a socket'
        for product, text, told in (
                ("wordpress", wordpress.replace("'a'", '"a\\0b"'), characters),
                ("wordpress", wordpress.replace("'b'", "'b c'"), characters),
                ("wordpress", wordpress.replace("'b'", "getenv('X')"), "DB_HOST is not a plain string"),
                ("wordpress", wordpress + "define('MULTISITE', f());", "MULTISITE is not a plain string"),
                ("phpbb", phpbb.replace("'1'", "'1;'"), characters),
                ("phpbb", phpbb.replace("'1'", "'a'"), port.format("a")),
                ("phpbb", phpbb.replace("'1'", "'123456'"), port.format("123456")),
                ("wordpress", wordpress.replace("'b'", "'b:80a'"), port.format("80a")),
                ("wordpress", wordpress.replace("'b'", "'[::1]:x[y'"), port.format("x[y")),
                ("phpbb", phpbb.replace("'1'", "f()"), "$dbport is not a plain string"),
                ("phpbb", phpbb.replace("'mysqli'", "f()"), "$dbms is not a plain string")):
            with self.subTest(text=text):
                self.site.put("config.php", text)
                self.refused(product, told)

    def test_files_that_compute_their_values(self):
        """As in images for Docker, Bedrock, Platform.sh, and farms of wikis: the lines are named, and what to write instead."""
        fails = "return rtrim(file_get_contents($file)); } return $default; }"
        docker = f"""<?php function getenv_docker($env, $default) {{ if ($file = getenv($env . '_FILE')) {{ {fails}
            define( 'DB_NAME', getenv_docker('WORDPRESS_DB_NAME', 'wordpress') );
            define( 'DB_HOST', getenv_docker('WORDPRESS_DB_HOST', 'mysql') );
            $table_prefix = getenv_docker('WORDPRESS_TABLE_PREFIX', 'wp_');
            if ($configExtra = getenv_docker('WORDPRESS_CONFIG_EXTRA', '')) {{ eval($configExtra); }}"""
        bedrock = """<?php Config::define('DB_NAME', env('DB_NAME'));
            Config::define('DB_HOST', env('DB_HOST') ?: 'localhost');
            $table_prefix = env('DB_PREFIX') ?: 'wp_'; Config::apply();"""
        platform = """<?php if (getenv('PLATFORM_RELATIONSHIPS')) { define('DB_NAME', getenv('DB_NAME')); define('DB_HOST', 'b');
            foreach ($keys as $key) { define($key, $entropy . $key); } }
            $table_prefix = 'wp_';"""
        early = "<?php define('DB_NAME', 'a'); define('DB_HOST', 'b'); $table_prefix = 'x_';\nif (f()) return;\n$table_prefix = 'y_';"
        farm = "<?php $wgDBname = 'a';\n$wgConf->extractAllGlobals($wgDBname); $wgDBserver = getenv('H');"
        several = "<?php $wgDBname = 'a';\n$wgDBservers[] = ['host' => 'b'];"
        private = "<?php $wgDBname = 'a'; require_once \"$IP/LocalSettings.private.php\"; $wgDBserver = f();"
        for product, text, *told in (
                ("wordpress", docker, ":2: DB_NAME is not", ":3: DB_HOST is not", ":5: this line can change $table_prefix\n"),
                ("wordpress", bedrock, ":1: this line can change DB_NAME", ":2: this line can change DB_HOST", ":3: $table_prefix is not"),
                ("wordpress", platform, ":2: this line can change DB_NAME"),
                ("wordpress", early, ":3: $table_prefix has several values"),
                ("mediawiki", farm, ":2: this line can change $wgDBname", "$wgDBserver is not a plain string"),
                ("mediawiki", several, ":2: this line can change $wgDBservers"),
                ("mediawiki", private, ":1: warning: includes another file")):
            with self.subTest(text=text):
                self.site.put("config.php", text)
                for words in told:
                    self.refused(product, words)
                self.refused(product, "config.php is run: write the right values into a file like this, and use that\n    <?php\n")

    def test_what_it_shows_can_be_used(self):
        self.site.put("config.php", "")
        for product in ("wordpress", "mediawiki", "phpbb"):
            done = command("new-store", product, self.site.folder / "config.php")
            lines = done.stderr.partition("    <?php\n")[2].replace("'...'", "'a'").splitlines()
            self.site.put("plain.php", "<?php " + "\n".join(line for line in lines if not line.endswith("// if it is set")))
            done = command("new-store", product, self.site.folder / "plain.php")
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn('database = "a"', done.stdout)

    def test_hosts(self):
        for host, port, told in (("db.example.com", "/a/b.sock", 'socket = "/a/b.sock"'),
                                 ("[fe80::1]", "", 'hosts = [ "fe80::1" ]'), ("[fe80", "", 'hosts = [ "[fe80" ]')):
            self.site.put("config.php", f"<?php $dbname = 'a'; $dbhost = '{host}'; $dbport = '{port}'; $table_prefix = 'x_';")
            self.assertIn(told, command("new-store", "phpBB", self.site.folder / "config.php").stdout)

    def test_versions(self):
        """One that is not known, or before 1.42, is as one of old."""
        includes = self.site.folder / "includes"
        self.site.put("config.php", "<?php $wgDBname = 'w';")
        includes.write_text("")
        self.assertIn("`ipblocks`", command("new-store", "mediawiki", "config.php", cwd=self.site.folder).stdout)
        includes.unlink()
        includes.mkdir()
        for version in ("1", "0.50", "1.-5", "1000.1", "1.1000", "x", "1.41.9"):
            self.site.put("includes/Defines.php", f"<?php define( 'MW_VERSION', '{version}' );")
            done = command("new-store", "mediawiki", "config.php", cwd=self.site.folder)
            self.assertIn("`ipblocks`", done.stdout, (version, done.stderr))
        (includes / "Defines.php").unlink()
        os.mkfifo(includes / "Defines.php")
        self.assertIn("`ipblocks`", command("new-store", "mediawiki", "config.php", cwd=self.site.folder).stdout)
        (includes / "Defines.php").unlink()
        (includes / "Defines.php").mkdir()
        self.refused("mediawiki", "includes/Defines.php beside it cannot be read: Is a directory: name the file itself")

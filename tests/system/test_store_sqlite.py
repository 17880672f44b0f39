# SPDX-License-Identifier: MIT
"""Members in an SQLite database: right answers, and what may become of the file."""
import contextlib
import fcntl
import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time

from lib.case import FreshCase
from lib.programs import programs, web_user
from lib.responder import command, run
from lib.scratch import wait_until
from lib.site import APP, member_path

QUERY = "SELECT id AS appUserId, name AS appUserName, state, 1 AS more FROM people WHERE id = {id}"


class Database(FreshCase):
    def setUp(self):
        super().setUp()
        self.path = self.site.folder / "site.db"
        self.make(self.path, "Ann")
        self.configure()

    def make(self, path, name):
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, state TEXT)")
            database.executemany("INSERT INTO people VALUES (?, ?, ?)",
                                 [(1, name, "ACTIVE"), (2, "Björn \"B\" 'x'; --", None), (3, "Gone", "LEFT")])
        database.close()

    def configure(self, **keys):
        store = {"plugin": "sqlite", "path": "site.db", "query": QUERY, **keys}
        self.site.write({"stores": {"members": {**dict.fromkeys(self.site.settings["stores"]["members"]), **store}}})

    def change(self, *statements):
        with sqlite3.connect(self.path) as database:
            for statement in statements:
                database.execute(statement)
        database.close()

    def check(self):
        return command("check", "--online", "-c", self.site.conf)


class Answers(Database):
    def test_members_are_found(self):
        responder = self.start()
        for user, status, name in (("1", 200, "Ann"), ("2", 200, "Björn \"B\" 'x'; --"), ("3", 404, None),
                                   ("4", 404, None), ("1' OR '1'='1", 404, None), ("1;", 404, None)):
            with self.subTest(user=user):
                answer = responder.post(member_path(user), self.site.auth())
                self.assertEqual((status, name), (answer.status, answer.json.get("userName")))

    def test_integers_in_other_clothes_are_not_found(self):
        self.configure(id_type="integer")
        responder = self.start()
        self.assertEqual([200, 404, 404, 404, 404], [responder.post(member_path(user), self.site.auth()).status
                                                     for user in ("1", "01", "+1", "1abc", "1.0")])

    def test_mistakes_are_told_with_their_place(self):
        for keys, told in (
                ({"query": "SELECT 1 FROM people WHERE id = '{id}'"}, r"members\.query: at byte \d+: the placeholder"),
                ({"query": "DELETE FROM people WHERE id = {id}"}, "must be a SELECT"),
                ({"query": QUERY.replace("name", "nam")}, 'no such column: nam, at "nam AS'),
                ({"query": QUERY.replace("people", "peple")}, "no such table: peple"),
                ({"query": QUERY.replace("appUserId", "x")}, "no column appUserId"),
                ({"query": QUERY.replace("appUserName", "appUserId")}, "two columns .*appUserId"),
                ({"query": "WITH x AS (SELECT 1) INSERT INTO people (id) VALUES ({id})"}, "would write"),
                ({"path": "/"}, "members.path: / is not a file"),
                ({"path": "other.db"}, r"other\.db cannot be read: No such file")):
            with self.subTest(keys=keys):
                self.configure(**keys)
                done = self.check()
                self.assertEqual(1, done.returncode)
                self.assertRegex(done.stdout + done.stderr, told)

    def test_the_app_is_part_of_the_question(self):
        for app, status in ((APP, 0), ("another", 1)):
            self.configure(query=QUERY.replace("{id}", f"{{id}} AND {{appId}} = '{app}'"))
            done = command("lookup", "-c", self.site.conf, "members", "1")
            self.assertEqual(status, done.returncode, done.stderr)

    def test_columns_that_templates_name_are_missed(self):
        self.configure(member={"name": "{name} of {team}"})
        done = self.check()
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("warning: store members: it lacks team\n", done.stderr)

    def test_lookup_tells_the_state(self):
        done = command("lookup", "-c", self.site.conf, "members", "3")
        self.assertEqual(1, done.returncode)
        done = command("lookup", "-c", self.site.conf, "members", "1")
        self.assertEqual("Ann", json.loads(done.stdout)["userName"], done.stderr)


class Faults(Database):
    def setUp(self):
        super().setUp()
        self.configure(timeout="500ms")
        self.responder = self.start()
        self.assertEqual("Ann", self.ask().json["userName"])

    def ask(self, user="1"):
        return self.responder.post(member_path(user), self.site.auth())

    def test_change_is_seen_at_once(self):
        self.change("UPDATE people SET name = 'Anna' WHERE id = 1", "DELETE FROM people WHERE id = 2")
        self.assertEqual(("Anna", 404), (self.ask().json["userName"], self.ask("2").status))

    def test_file_that_was_replaced(self):
        self.make(self.site.folder / "new.db", "Eve")
        os.rename(self.site.folder / "new.db", self.path)
        wait_until("the new file is used", lambda: self.ask().json.get("userName") == "Eve", 5)

    def test_file_that_is_gone_goes_on_being_served(self):
        self.path.unlink()
        time.sleep(0.2)  # then it is looked at again
        self.assertEqual("Ann", self.ask().json["userName"])

    def test_file_that_was_overwritten(self):
        """By one that SQLite does not tell from it: as large, and written as often."""
        self.make(self.site.folder / "new.db", "Eve")
        self.path.write_bytes((self.site.folder / "new.db").read_bytes())
        wait_until("the new file is used", lambda: self.ask().json.get("userName") == "Eve", 2)

    def test_path_that_leads_to_no_file(self):
        """To open a FIFO waits for somebody who writes into it."""
        for make in (os.mkfifo, os.mkdir):
            with self.subTest(make=make):
                make(self.site.folder / "new")
                self.path.unlink()
                os.rename(self.site.folder / "new", self.path)
                wait_until("it is opened", lambda: self.ask().status == 500, 2)
                self.responder.expect_log("site.db is not a file")
                os.rename(self.path, self.site.folder / f"{make.__name__}.old")
                self.assertEqual(500, self.ask().status)
                self.responder.expect_log("site.db cannot be opened: No such file")
                self.make(self.path, "Eve")
                wait_until("the new file is used", lambda: self.ask().status == 200, 2)

    def test_columns_that_change_places(self):
        self.change("CREATE VIEW chat AS SELECT id, id AS appUserId, name AS appUserName, state AS role FROM people")
        self.configure(query="SELECT * FROM chat WHERE id = {id}")
        self.responder.process.stop()
        self.responder = self.start()
        for mode in ("DELETE", "WAL"):  # in a log, the file itself and the connection stay as they were
            self.change(f"PRAGMA journal_mode = {mode}")
            with contextlib.closing(sqlite3.connect(self.path)) as other:
                other.execute("SELECT * FROM people").fetchall()  # as long as it is open, the log stays
                for columns, status in (("name AS appUserName, id AS appUserId, state AS role, id", 200), ("id, name AS appUserName", 500)):
                    with self.subTest(mode=mode, columns=columns):
                        self.change("DROP VIEW chat", f"CREATE VIEW chat AS SELECT {columns} FROM people")
                        for answer in (self.ask(), self.ask()):
                            self.assertEqual((status, "Ann" if status == 200 else None), (answer.status, answer.json.get("userName")))

    def holder(self):
        """The process that keeps writers away from what it reads (SQLite's shared lock)."""
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0x40000002, 510, 0)
        with open(self.path, "r+b") as file:
            kind, _, _, _, pid = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else pid

    def test_reload_leaves_locks_alone(self):
        """To close any descriptor of a file takes all locks from a process that it has on it."""
        slow = "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n)"
        self.configure(timeout="3s", query=QUERY.replace("name AS", f"{slow} AS"))
        self.responder.process.stop()
        self.responder = self.start()
        asking = threading.Thread(target=self.ask)
        asking.start()
        self.addCleanup(asking.join)
        wait_until("it reads", self.holder, 2)
        holder = self.holder()
        self.configure(timeout="2s")
        self.responder.process.send_signal(signal.SIGHUP)
        self.responder.expect_log("conf: loaded")
        self.assertEqual((holder, True), (self.holder(), asking.is_alive()))

    def test_writer_that_holds_the_lock(self):
        writer = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(writer.close)
        writer.execute("BEGIN EXCLUSIVE")
        begin = time.monotonic()
        self.assertEqual(503, self.ask().status)
        self.assertLess(time.monotonic() - begin, 2)
        self.responder.expect_log("database is locked")
        writer.execute("ROLLBACK")
        wait_until("it answers again", lambda: self.ask().status == 200, 5)

    def test_writer_that_holds_the_lock_for_most_of_the_time(self):
        self.responder.process.stop()
        self.site.write({"request_timeout": "1s"})
        self.configure(timeout="2s")
        self.responder = self.start()
        self.assertEqual(200, self.ask().status)
        writer = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self.addCleanup(writer.close)
        writer.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(0.6, writer.execute, ("ROLLBACK",))
        release.start()
        self.addCleanup(release.join)
        self.assertEqual(200, self.ask().status)

    def test_query_that_does_not_end(self):
        self.configure(timeout="300ms", query="WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                                              "SELECT count(*) AS appUserId FROM n WHERE i > {id}")
        begin = time.monotonic()
        done = command("lookup", "-c", self.site.conf, "members", "1")
        self.assertEqual(2, done.returncode)
        self.assertIn("the query did not end in time", done.stderr)
        self.assertLess(time.monotonic() - begin, 2)

    def test_truncated_file(self):
        with open(self.path, "r+b") as file:
            file.truncate(1000)
        self.assertEqual(503, self.ask().status)
        self.path.unlink()
        self.make(self.path, "Eve")
        wait_until("the new file is used", lambda: self.ask().json.get("userName") == "Eve", 5)

    def write_and_die(self, journal, *statements):
        """A process that changes every row, with too little memory to keep that to itself."""
        program = ("import os, sqlite3, sys\n"
                   "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
                   "database.execute('PRAGMA cache_size = 1')\n"
                   "database.execute('PRAGMA journal_mode = ' + sys.argv[2])\n"
                   "for statement in sys.argv[3:]:\n"
                   "    database.execute(statement)\n"
                   "os.kill(os.getpid(), 9)\n")
        done = subprocess.run([sys.executable, "-c", program, self.path, journal, *statements], capture_output=True, check=False)
        self.assertEqual(-9, done.returncode, done.stderr)

    def fill(self):
        self.change("CREATE TABLE ballast (id INTEGER PRIMARY KEY, text TEXT)",
                    "INSERT INTO ballast WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
                    "SELECT i, hex(randomblob(300)) FROM n")

    def test_writer_that_was_killed_amid_a_change(self):
        """Its change is neither seen nor undone by us; the next writer undoes it."""
        self.fill()
        self.write_and_die("DELETE", "BEGIN", "UPDATE people SET name = 'Eve'", "UPDATE ballast SET text = text || 'x'")
        self.assertTrue(os.path.exists(f"{self.path}-journal"))
        for user in ("1", "2"):
            self.assertEqual(503, self.ask(user).status)
        self.responder.expect_log("a writer ended in the middle of a change")
        self.change("UPDATE people SET state = 'LEFT' WHERE id = 2")
        wait_until("it answers again", lambda: self.ask().status == 200, 5)
        self.assertEqual(("Ann", 404), (self.ask().json["userName"], self.ask("2").status))

    def test_writer_that_was_killed_with_a_log(self):
        """In WAL mode, what was committed counts, and nothing else."""
        self.fill()
        self.write_and_die("WAL", "UPDATE people SET name = 'Anna' WHERE id = 1", "BEGIN",
                           "UPDATE people SET name = 'Eve' WHERE id = 1", "UPDATE ballast SET text = text || 'x'")
        self.assertTrue(os.path.exists(f"{self.path}-wal"))
        self.assertEqual("Anna", self.ask().json["userName"])
        self.assertEqual(0, self.lookup().returncode)

    def lookup(self, user="1"):
        return command("lookup", "-c", self.site.conf, "members", user)

    def test_full_disk(self):
        disk = self.scratch.path / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none", disk], capture_output=True, check=False).returncode:
            self.skipTest("only root may mount")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        for mode in ("DELETE", "WAL"):
            with self.subTest(mode=mode):
                path = disk / f"{mode}.db"
                self.make(path, "Ann")
                with sqlite3.connect(path) as database:
                    database.execute(f"PRAGMA journal_mode = {mode}")
                database.close()
                with open(disk / "rest", "wb", buffering=0) as rest, contextlib.suppress(OSError):
                    while True:
                        rest.write(bytes(4096))
                self.configure(path=str(path))
                responder = self.start(address=self.scratch.path / f"{mode}.sock")
                answer = responder.post(member_path("1"), self.site.auth())
                self.assertEqual((200, "Ann") if mode == "DELETE" else (503, None),
                                 (answer.status, answer.json.get("userName")), responder.log_text())
                (disk / "rest").unlink()
                wait_until("it answers", lambda: responder.post(member_path("1"), self.site.auth()).status == 200, 2)
                responder.process.stop()
                path.unlink()

    def test_table_that_was_dropped(self):
        self.change("ALTER TABLE people RENAME TO persons")
        self.assertEqual(500, self.ask().status)
        self.responder.expect_log("no such table: people")
        self.change("ALTER TABLE persons RENAME TO people")
        wait_until("it answers again", lambda: self.ask().status == 200, 5)


class OtherUsers(Database):
    """The database and its folder belong to another user than the one that we run as, who may only read."""

    def setUp(self):
        super().setUp()
        self.folder = self.scratch.path / "data"
        self.folder.mkdir()
        self.path = self.folder / "site.db"
        self.make(self.path, "Ann")
        self.configure(path=str(self.path))
        user = web_user()  # none: we are not root, and nobody's rights are left out
        self.site.give_to(user)
        self.wrap = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] if user else []
        self.let(0o444)

    def let(self, file, folder=0o555):
        self.path.chmod(file)
        self.folder.chmod(folder)

    def start(self):
        self.responder = super().start(wrap=self.wrap, address=self.site.folder / "mc.sock")

    def ask(self):
        return self.responder.post(member_path("1"), self.site.auth())

    def named(self, name):
        answer = self.ask()
        return answer.status == 200 and answer.json["userName"] == name

    def change(self, *statements):
        self.let(0o644, 0o755)
        super().change(*statements)
        self.let(0o444)

    def check(self):
        done = run([*self.wrap, programs().command, "check", "--online", "-c", self.site.conf])
        return done.returncode, (done.stdout + done.stderr).decode()

    def test_read_only_folder(self):
        self.assertEqual(0, self.check()[0], self.check())
        self.start()
        self.assertTrue(self.named("Ann"))
        self.change("UPDATE people SET name = 'Anna'")
        self.assertTrue(self.named("Anna"))

    def test_wal_mode_in_a_read_only_folder(self):
        """It works as long as a writer has the file open; then someone must act, and is told how."""
        self.change("PRAGMA journal_mode = WAL")
        status, told = self.check()
        self.assertEqual(1, status, told)
        self.assertIn(f"{self.path} is in WAL mode", told)
        self.start()
        self.assertEqual(500, self.ask().status)
        self.responder.expect_log("site.db is in WAL mode.*PRAGMA journal_mode = DELETE")
        self.let(0o644, 0o755)
        writer = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(writer.close)
        writer.execute("UPDATE people SET name = 'Anna'")
        self.let(0o444)
        self.assertTrue(self.named("Anna"))
        self.assertEqual(0, self.check()[0])
        writer.close()
        self.assertTrue(self.named("Anna"))

    def test_wal_mode_where_we_may_write(self):
        self.change("PRAGMA journal_mode = WAL")
        self.start()
        self.assertEqual(500, self.ask().status)
        self.let(0o666, 0o777)
        wait_until("it answers", lambda: self.named("Ann"), 2)

    def test_wal_mode_with_files_that_we_may_not_read(self):
        self.change("PRAGMA journal_mode = WAL")
        self.let(0o644, 0o755)
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as writer:
            writer.execute("UPDATE people SET name = 'Anna'")
            for beside in ("-wal", "-shm"):
                os.chmod(f"{self.path}{beside}", 0)
            self.let(0o444)
            status, told = self.check()
            self.assertEqual(1, status)
            self.assertIn(f"{self.path} is in WAL mode", told)

    def test_file_that_we_may_not_read(self):
        self.start()
        self.assertTrue(self.named("Ann"))
        self.let(0o644, 0o755)
        self.make(self.folder / "new.db", "Eve")
        os.chmod(self.folder / "new.db", 0)
        os.rename(self.folder / "new.db", self.path)
        wait_until("the new file is opened", lambda: self.ask().status == 500, 3)
        self.responder.expect_log("site.db cannot be opened: Permission denied")
        status, told = self.check()
        self.assertEqual(1, status)
        self.assertIn("site.db cannot be read: Permission denied", told)
        self.let(0o444)
        wait_until("it answers again", lambda: self.named("Eve"), 2)

# SPDX-License-Identifier: MIT
"""The members file changes while requests are answered."""
import os
import shutil
import signal
import time

from lib.case import FreshCase, Load
from lib.programs import limit
from lib.responder import respond
from lib.scratch import wait_until
from lib.site import MEMBERS, member_path

TAKEN_IN = 6  # seconds for a change to be seen, settling included


class MembersFile(FreshCase):
    """Requests for member 1, who is in every version of the file, go on all the while."""

    def setUp(self):
        super().setUp()
        self.responder = self.start()
        load = Load(lambda: self.ask("1"), threads=2)
        load.__enter__()
        self.addCleanup(load.assert_all_answered)
        self.addCleanup(load.__exit__)

    def ask(self, user):
        return self.responder.post(member_path(user), self.site.auth())

    def name(self, user):
        answer = self.ask(user)
        return answer.json["userName"] if answer.status == 200 else answer.status

    def until(self, user, name):
        wait_until(f"{user} is {name}", lambda: self.name(user) == name, TAKEN_IN)

    def stays(self, log):
        """The old content stays, and the log says why."""
        self.responder.expect_log(log)
        time.sleep(limit(0.5))
        self.assertEqual(["foobar1", "foobar2", "Mongo"],
                         [self.name(user) for user in ("1", "2", "64d0c5f2a1b2c3d4e5f60718")])

    def mended(self):
        """A good file is taken in again, whatever was there before."""
        self.site.put("members.csv", MEMBERS + "new,Newcomer,,\n")
        self.until("new", "Newcomer")

    def test_replaced_by_rename(self):
        self.site.put("members.csv", MEMBERS.replace("foobar2", "renamed") + "new,Newcomer,,\n")
        self.until("new", "Newcomer")
        self.assertEqual("renamed", self.name("2"))
        self.site.put("members.csv", MEMBERS)
        self.until("new", 404)
        self.assertEqual("foobar2", self.name("2"))

    def test_rewritten_in_place(self):
        self.site.members.write_text(MEMBERS + "new,Newcomer,,\n")
        self.until("new", "Newcomer")

    def test_written_slowly_in_place(self):
        """Half a file is not taken for the whole."""
        text = MEMBERS + "new,Newcomer,,\n"
        with open(self.site.members, "w", encoding="utf-8", buffering=1) as file:
            for line in text.splitlines(keepends=True):
                file.write(line)
                time.sleep(limit(0.2))
        self.until("new", "Newcomer")

    def test_same_size_and_second(self):
        self.site.put("members.csv", MEMBERS.replace("foobar2", "foobar3"))
        self.until("2", "foobar3")

    def test_restored_with_an_old_time(self):
        """As a backup does: the file changes, its time goes back."""
        self.site.put("members.csv", MEMBERS + "new,Newcomer,,\n")
        os.utime(self.site.members, (1_500_000_000, 1_500_000_000))
        self.until("new", "Newcomer")

    def test_vanished(self):
        self.site.members.unlink()
        self.stays(r"members\.csv.*No such file")
        self.mended()

    def test_became_a_folder(self):
        self.site.members.unlink()
        self.site.members.mkdir()
        self.stays(r"members\.csv.*(is not a|directory|folder|file)")
        self.site.members.rmdir()
        self.mended()

    def test_unreadable(self):
        """As a user who may not read it; for root, where no mode helps, a link to itself."""
        if os.geteuid():
            self.site.put("members.csv", MEMBERS + "new,Newcomer,,\n", 0)
        else:
            self.site.members.unlink()
            self.site.members.symlink_to(self.site.members)
        self.stays(r"members\.csv.*(permission|too many)")
        self.site.members.unlink()
        self.mended()

    def test_emptied(self):
        self.site.members.write_text("")
        self.stays(r"members\.csv.*(empty|only 0 members)")
        self.mended()

    def test_only_the_header_left(self):
        self.site.put("members.csv", MEMBERS.splitlines(keepends=True)[0])
        self.stays(r"members\.csv.*only \d+ members now")
        self.mended()

    def test_truncated_in_a_line(self):
        self.site.members.write_text(MEMBERS[:-4])
        self.stays(r"members\.csv.*no line end")
        self.mended()

    def test_suddenly_half_as_long(self):
        many = MEMBERS + "".join(f"m{i},Member {i},,\n" for i in range(100))
        self.site.put("members.csv", many)
        self.until("m99", "Member 99")
        self.site.put("members.csv", MEMBERS)
        self.stays(r"members\.csv.*only \d+ members now")
        self.assertEqual("Member 99", self.name("m99"))
        self.responder.process.send_signal(signal.SIGHUP)  # "that is right"
        self.until("m99", 404)

    def test_bad_header(self):
        self.site.put("members.csv", MEMBERS.replace("appUserId", "userid"))
        self.stays(r"members\.csv.*appUserId")
        self.mended()

    def test_another_encoding(self):
        self.site.put("members.csv", MEMBERS.encode("utf-16-le"))
        self.stays(r'members\.csv.*line 1, byte 2: 0x00 is not UTF-8; this would fit: encoding = "UTF-16LE"')
        self.mended()

    def test_utf16_with_a_byte_order_mark(self):
        self.site.put("members.csv", (MEMBERS + "new,Jörg,,\n").encode("utf-16"))
        self.until("new", "Jörg")

    def test_separator_and_encoding(self):
        self.site.put("other.csv", "sep=;\nappUserName;appUserId;column;column;\nJörg, 5 €;new;a;b;\"c\nd\"\nfoobar1;1\n"
                      .encode("cp1252"))
        self.site.write({"stores": {"members": {"path": "other.csv", "encoding": "windows-1252"}}})
        self.responder.process.send_signal(signal.SIGHUP)
        self.until("new", "Jörg, 5 €")

    def test_bad_lines_cost_only_themselves(self):
        self.site.put("members.csv", MEMBERS.encode() + b'bad,"quote\nok1,After,,\nworse,\xff\xfe,,\nok2,Later,,\n'
                      b"dup,One,,\ndup,Two,,\n")
        self.until("ok2", "Later")
        self.assertEqual(["After", "foobar2"], [self.name("ok1"), self.name("2")])
        for broken in ("bad", "worse", "dup"):
            self.assertEqual(500, self.ask(broken).status)
        self.assertEqual(404, self.ask("nobody").status)
        first_bad = MEMBERS.count("\n") + 1
        for line in (first_bad, first_bad + 2):
            self.responder.expect_log(rf"members\.csv:{line}\b")
        self.responder.expect_log(r"the id is in line \d+ already")

    def test_byte_order_mark_and_crlf(self):
        text = "\ufeff" + MEMBERS.replace("\n", "\r\n") + "new,Newcomer,,\r\n"
        self.site.put("members.csv", text)
        self.until("new", "Newcomer")
        self.assertEqual("foobar2", self.name("2"))

    def test_another_file_by_sighup(self):
        """The configuration names another file."""
        shutil.copy(self.site.members, self.site.folder / "other.csv")
        with open(self.site.folder / "other.csv", "a", encoding="utf-8") as file:
            file.write("new,Newcomer,,\n")
        self.site.write({"stores": {"members": {"path": "other.csv"}}})
        self.responder.process.send_signal(signal.SIGHUP)
        self.until("new", "Newcomer")


class FirstLoad(FreshCase):
    """There is no old content to keep."""

    def refused(self, log):
        done = respond("-c", self.site.conf, "-s", f"unix:{self.scratch.path}/mc.sock")
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, log)

    def test_missing_at_the_start(self):
        self.site.members.unlink()
        self.refused(r"stores\.members\.path: .*members\.csv cannot be read: No such file")

    def test_no_members_file(self):
        self.site.put("members.csv", "\x7fELF" + "\0" * 100)
        self.refused(r"stores\.members\.path: .*members\.csv: .*NUL")

    def test_large_file(self):
        lines = "".join(f"m{i},Member {i},https://img.example.com/{i}.png,\n" for i in range(100_000))
        self.site.put("members.csv", MEMBERS + lines)
        responder = self.start()
        for user in ("m0", "m99999", "1"):
            answer = responder.post(member_path(user), self.site.auth())
            self.assertEqual((200, user), (answer.status, answer.json.get("userId")))
        self.assertEqual(404, responder.post(member_path("m100000"), self.site.auth()).status)

# SPDX-License-Identifier: MIT
"""Plain CGI behind Apache's event MPM with mod_cgid: one process a request."""
import gzip

from lib.mount_cases import KilledCases, MountCases, MountedCase, RootMountCases
from lib.servers import MOUNT, Apache, apache_at_root, read_mount, responder_paths


def start(case, edit=None, mount=MOUNT):
    text = read_mount("apache/cgi.conf", responder_paths(case.site), edit)
    return Apache(case.scratch, text, ["cgid"], mount)


class Cgid(MountCases, KilledCases, MountedCase):
    # mod_cgid's daemon is gone for a moment while Apache restarts: a 503 of Apache's own.
    GOOD_WHILE_RESTARTING = (200, 503)
    HEAD_REFUSED = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.web = start(cls)

    def test_small_refused_bodies_are_all_answered(self):
        """The server loses an answer when the program leaves its body unread."""
        answers = [self.web.post("/v2/none", self.site.auth(), b"{}     ").status for _ in range(60)]
        self.assertEqual([404] * 60, answers)

    def test_query_is_no_command_line(self):
        """A query without "=" becomes the command line of a CGI program."""
        for query in ("-V", "-t", "-c+/dev/null", "-s+unix:/tmp/x"):
            with self.subTest(query=query):
                answer = self.web.post("/v2/apps/me/members/1/chat-tokens?" + query, self.site.auth())
                self.assertEqual("1", answer.json["userId"])


class CgidAtRoot(RootMountCases, MountedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.web = start(cls, apache_at_root, mount="")


class InputFilter(MountedCase):
    """SetInputFilter DEFLATE: the body that comes is longer than CONTENT_LENGTH says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = read_mount("apache/cgi.conf", responder_paths(cls.site)) + "<Location />\nSetInputFilter DEFLATE\n</Location>\n"
        cls.web = Apache(cls.scratch, text, ["cgid", "filter", "deflate"])

    def test_inflated_body_is_read_to_its_end(self):
        body = b'{"appUserId": "u7", "appUserName": "' + b"n" * 200 + b'"}'
        for _ in range(12):
            answer = self.guest(gzip.compress(body), headers={"Content-Encoding": "gzip"})
            self.site.check(answer, user="u7", name="n" * 200, role="guest")

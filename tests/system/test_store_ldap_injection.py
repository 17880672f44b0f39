# SPDX-License-Identifier: MIT
"""Ids that would like to be more than a value of the search filter: none of them widens the search."""
from urllib.parse import quote_from_bytes

from lib.case import ScratchCase
from lib.responder import RunningResponder, command
from lib.site import APP, Site, member_path
from lib.slapd import Slapd, person

# Those who exist, by ids that filters could stumble over.
PRESENT = ["plain", "a*b", "a(b", "a)b", "a\\b", "a\\2ab", "zoë", "(&(uid=*))", "a b", "*a", "{id}", "x=y", "100%"]

# Patterns, ends of filters, escapes, raw bytes: nobody has these ids.
HOSTILE = [
    b"*", b"p*", b"*n", b"pl*in", b"**", b"plain*", b"*plain", b")", b"(", b")(uid=*", b"plain)(uid=*",
    b"plain)(|(uid=*", b"*)(uid=*))(|(uid=*", b"x)(!(uid=nobody", b"plain)(objectClass=*", b"plain)(&", b"|", b"&", b"!",
    b"\\2a", b"\\2A", b"\\", b"\\\\", b"\\zz", b"pl\\61in", b"\\70lain", b"\\28", b"\\29", b"\\00", b"plain\\00", b"\\c3",
    b"plain)", b"plain))", b"(uid=plain)", b"uid=plain", b"=plain", b"~=plain", b">=a", b"<=z", b":=plain",
    b":dn:=plain", b"{id", b"id}", b"{{id}}", b"%s", b"%n%n", b"$id", b"${id}", b"plain,ou=people",
    b"uid=plain,ou=people,dc=example,dc=com", b"\xc3\xb6", b"zo\xc3\xaa", b"\xe2\x80\xae", b"\xf0\x9f\x98\x80",
    b"z", b"zo", b"*\xc3\xab", b"\xef\xbc\x8a",
]

# No id at all: they never get as far as the directory.
NOT_AN_ID = [b"\0", b"plain\0", b"\0*", b"plain\0)(uid=*", b"\xff", b"plain\xff", b"zo\xeb", b"\xc0\xaa", b"a\x01", b"a\x7f",
             b"a\n", b"x" * 129]


class Injection(ScratchCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.slapd = Slapd(cls.scratch, "".join(person(uid, displayName=f"Name of {uid}") for uid in PRESENT))
        cls.site = Site(cls.scratch.path / "site")
        cls.site.write({"stores": {"staff": cls.slapd.settings(cache={"size": 0})}, "apps": {APP: {"store": "staff"}}})
        cls.responder = RunningResponder(cls.scratch, cls.site)

    def ask(self, raw):
        return self.responder.post(member_path(quote_from_bytes(raw, safe="")), self.site.auth())

    def test_hostile_ids_find_nobody(self):
        for raw in HOSTILE:
            with self.subTest(raw=raw):
                self.assertEqual((404, "MEMBER_NOT_FOUND"), self.ask(raw).error)
        self.assertNotIn("misconfigured", self.responder.log_text())

    def test_what_is_no_id_is_not_asked_for(self):
        self.ask(b"plain")
        before = self.slapd.count(" SRCH base=")
        for raw in NOT_AN_ID:
            with self.subTest(raw=raw):
                self.assertEqual(404, self.ask(raw).status)
        self.assertEqual(before, self.slapd.count(" SRCH base="))

    def test_odd_members_are_found(self):
        for uid in PRESENT:
            with self.subTest(uid=uid):
                self.site.check(self.ask(uid.encode()), user=uid, name=f"Name of {uid}")

    def test_every_search_has_the_same_form(self):
        """What slapd logged: the id stands in one place, as one value."""
        for raw in HOSTILE:
            self.ask(raw)
        filters = [line.partition('filter="')[2] for line in self.slapd.log_text().splitlines() if " SRCH base=" in line]
        self.assertGreaterEqual(len(filters), len(HOSTILE))
        for text in filters:
            self.assertTrue(text.startswith("(&(objectClass=inetOrgPerson)(uid="), text)
            value = text.partition("(uid=")[2].removesuffix('"').removesuffix("))")
            self.assertFalse(set("*()") & set(value), text)

    def test_from_the_command_line(self):
        for text in ("*", "plain)(uid=*", "\\2a", "p*"):
            self.assertEqual(1, command("lookup", "-c", self.site.conf, "staff", text).returncode, text)

    def test_filter_with_a_pattern_of_its_own(self):
        """An administrator's * is a pattern, a member's is not."""
        self.site.put("pattern.conf", self.site.text().replace('uri = ', 'filter = "(uid={id}*n)"\nuri = '))
        self.assertEqual(0, command("lookup", "-c", self.site.folder / "pattern.conf", "staff", "pl").returncode)
        self.assertEqual(1, command("lookup", "-c", self.site.folder / "pattern.conf", "staff", "*").returncode)

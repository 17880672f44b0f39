# SPDX-License-Identifier: MIT
"""The LDAP store and entries that a slapd does not send: damaged ones, too many, and half of what there is."""
from lib.case import FreshCase
from lib.fake_ldap import Listing, entry, reference
from lib.responder import command
from lib.slapd import store_settings

DN = "uid=m1,dc=x"
DAMAGED = b"\x30\x02\x04\x01"  # an attribute whose name is cut off
M1 = entry(DN, uid="m1", cn="Ann", displayName="Ann")


class Entries(FreshCase):
    def use(self, *searches, **changes):
        server = Listing(self, *searches)
        self.site.write({"stores": {"staff": {**store_settings(server.uri), **changes}}, "request_timeout": "2s"})

    def look_up(self, *searches, **changes):
        """Exit status, and what was said."""
        self.use(*searches, **changes)
        done = command("lookup", "-c", self.site.conf, "staff", "m1")
        return done.returncode, done.stdout + done.stderr

    def expect(self, status, words, *searches, **changes):
        code, told = self.look_up(*searches, **changes)
        self.assertEqual(status, code, told)
        self.assertRegex(told, words)

    def survey(self, *searches, **changes):
        """What `check --online` says; it looks for nobody first."""
        self.use(([], 0), *searches, **changes)
        done = command("check", "--online", "-c", self.site.conf)
        return done.stdout + done.stderr

    def test_one(self):
        self.expect(0, '"userName": "Ann"', ([M1], 0))

    def test_damaged(self):
        for damage in (DAMAGED, b"\x04\x01", b"\x30\x01"):
            self.expect(2, "search: the answer is damaged", ([entry(DN, damage)], 0))

    def test_more_than_were_asked_for(self):
        self.expect(3, f"more than one entry has the id: {DN} and {DN}", ([M1] * 3, 0))

    def test_groups(self):
        groups = [entry(f"cn=g{i},dc=x", cn=f"g{i}") for i in range(1001)]
        for status, words, answer in ((0, '"g0"', (groups[:2], 0)), (3, "there are more than 1000", (groups, 4)),
                                      (2, "an answer is damaged", ([entry("cn=g,dc=x", DAMAGED)], 0))):
            self.expect(status, words, ([M1], 0), answer, group_base="dc=x", member={"role": "{groups}"})

    def test_references(self):
        """One that says nothing but the server, a damaged one, and one more than is needed to tell a mistake."""
        servers = [Listing(self, ([M1], 0)) for _ in range(4)]
        references = [reference(server.uri) for server in servers]
        self.expect(0, '"userName": "Ann"', (references[:1], 0), referrals=True)
        self.expect(3, 'referral "ldap://h/%" has a DN', ([reference("ldap://h/%")], 0), referrals=True)
        self.expect(3, "more than one entry has the id", (references[1:], 0), referrals=True)
        self.assertEqual([True, True, True, False], [bool(server.received) for server in servers])

    def test_inactive_ones(self):
        """It looks for them once more, without "active_filter"."""
        for told, entries in ((True, [M1]), (False, [entry(DN, uid="another")]), (False, [entry(DN, b"\x04\x01")])):
            code, words = self.look_up(([], 0), (entries, 0), active_filter="(cn=*)")
            self.assertEqual((1, told), (code, 'but "active_filter" leaves it out' in words), words)

    def test_counting_ends_at_a_limit(self):
        for code in (3, 4, 11):
            self.assertIn("members: at least 1,", self.survey(([M1], code)))
        told = self.survey(([entry("uid=m1,dc=x", uid="m1")], 4), attributes={"team": "ou", "car": "carLicense"})
        self.assertRegex(told, r"it lacks ou, carLicense \(in the first 1 entries\)")
        self.assertIn("active: at least 1\n", self.survey(([M1], 0), ([M1], 4), active_filter="(cn=*)"))

    def test_counting_fails(self):
        self.assertIn("No such object", self.survey(([], 32)))
        self.assertIn("members: 0", self.survey(([], 0)))

    def test_what_nobody_has(self):
        """An attribute that is named like the beginning of another, with options, or in a damaged entry."""
        odd = [entry("uid=m1,dc=x", uid="m1", cnx="x", **{"ou;lang-de": "x"}), entry("uid=m2,dc=x", b"\x04\x01")]
        told = self.survey((odd, 0), attributes={"team": "ou"}, name_attribute=["cn"])
        self.assertRegex(told, "it lacks cn\n")

# SPDX-License-Identifier: MIT
"""The LDAP store in a directory that refers to another one."""
from lib.fake_ldap import Scripted
from lib.responder import RunningResponder
from lib.site import member_path
from lib.slapd import PEOPLE, READER_PASSWORD, Slapd, ldif, person
from test_store_ldap import LdapCase


class Referrals(LdapCase):
    """A part of the tree that another server has."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        there = person("faraway", displayName="Far") + person("both") + person("m1")
        cls.other = Slapd(cls.scratch, there, name="other")
        cls.slapd.change(cls.reference("elsewhere", f"{cls.other.uri}/{PEOPLE}"))
        cls.slapd.change(person("both"))

    @staticmethod
    def reference(name, url):
        return ldif(f"ou={name},{PEOPLE}", {"objectClass": ["referral", "extensibleObject"], "ou": name, "ref": url})

    def add_reference(self, url, name="another"):
        """For this test only; the control is ManageDsaIT (RFC 3296)."""
        self.slapd.change(self.reference(name, url))
        self.addCleanup(self.slapd.change, f"dn: ou={name},{PEOPLE}\ncontrol: 2.16.840.1.113730.3.4.2\n"
                                           "changetype: delete\n")

    def test_off(self):
        self.assertEqual(1, self.look_up("faraway")[0])
        self.assertEqual(0, self.look_up("both")[0])

    def test_on(self):
        self.assertEqual("Far", self.found("faraway", referrals=True)["userName"])
        self.assertEqual("m2", self.found("m2", referrals=True)["userId"])
        self.assertEqual(1, self.look_up("nobody", referrals=True)[0])

    def test_entries_of_both_count(self):
        self.expect_wrong("both", "more than one entry has the id: uid=both,.* and uid=both,", referrals=True)

    def test_instead_of_an_answer(self):
        """The base itself is elsewhere (10)."""
        self.assertEqual("Far", self.found("faraway", base=f"ou=elsewhere,{PEOPLE}", referrals=True)["userName"])
        self.expect_wrong("faraway", "Referral", base=f"ou=elsewhere,{PEOPLE}")

    def test_not_in_clear_text(self):
        """Whatever the directory says: the password goes to no other machine in clear text."""
        self.add_reference("ldap://192.0.2.1/dc=x")
        self.expect_wrong("nobody", "clear text to another machine", referrals=True, referral_hosts="192.0.2.1")

    def test_our_password_goes_to_named_hosts_only(self):
        """Of any other, the server can name what it likes."""
        server = Scripted(self)
        self.add_reference(server.uri.replace("127.0.0.1", "localhost") + "/dc=x")
        self.expect_wrong("nobody", "localhost.* is not followed: name the host in \"referral_hosts\"", referrals=True)
        self.assertEqual(b"", server.received)
        self.assertEqual(1, self.look_up("nobody", referrals=True, referral_hosts=["other.example.com", "LocalHost"])[0])
        self.assertIn(READER_PASSWORD.encode(), server.received)

    def test_found_though_a_reference_fails(self):
        """With the entry in hand it is a warning; so are more references than are followed."""
        self.add_reference("ldap://127.0.0.1:1/dc=x")
        code, member, errors = self.look_up("m2", referrals=True)
        self.assertEqual((0, "m2"), (code, member["userId"]), errors)
        self.assertRegex(errors, "referral to ldap://127.0.0.1:1: .*refused; the entry that was found counts")
        for i in range(5):
            self.add_reference(f"{self.other.uri}/ou=none{i},dc=example,dc=com", f"more{i}")
        code, member, errors = self.look_up("m2", referrals=True)
        self.assertEqual((0, "m2"), (code, member["userId"]), errors)
        self.assertRegex(errors, "sends us to 7 servers; 4 are followed; the entry that was found counts")
        self.expect_wrong("nobody", "sends us to 7 servers", referrals=True)

    def test_a_reference_that_fails_is_told_once_a_minute(self):
        self.add_reference("ldap://127.0.0.1:1/dc=x")
        self.use(referrals=True, cache={"size": 0})
        responder = RunningResponder(self.scratch, self.site)
        for _ in range(3):
            self.assertEqual(200, responder.post(member_path("m2"), self.site.auth()).status)
        self.assertEqual(0, responder.process.stop())
        self.assertEqual(1, responder.log_text().count("the entry that was found counts"), responder.log_text())

    def test_server_that_is_down(self):
        """Nobody is "not found" who was looked for in half of the directory only."""
        self.add_reference("ldap://127.0.0.1:1/dc=x")
        self.expect_wrong("nobody", "referral to ldap://127.0.0.1:1: .*refused", 2, referrals=True)

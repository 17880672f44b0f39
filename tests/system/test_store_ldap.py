# SPDX-License-Identifier: MIT
"""The LDAP store with a real slapd: what it finds, and how the configuration says so."""
import json
import re

from lib.answer import parse_cgi
from lib.case import FreshCase, ScratchCase, at_once
from lib.programs import programs
from lib.responder import RunningResponder, command, environment, run
from lib.site import APP, Site, member_path
from lib.slapd import BASE, MEMBERS, PEOPLE, READER_PASSWORD, Slapd, ldif, person

LARGE = "x" * 100_000
ODD = "".join([
    person("utf8", displayName="Zoë 😀 Ångström"),
    person("binary", jpegPhoto=b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(100)), cn="Plain name"),
    person("large", displayName=LARGE, cn="Small name"),
    person("several", displayName=["One"], labeledURI=["https://a.example/1", "https://a.example/2"]),
    person("labelled", labeledURI="https://a.example/3 my picture"),
    person("line", displayName="Line\r\n"),
    person("aliased", uid=["aliased", "an-alias", "0"], displayName="Aliased"),
    person("noname", displayName=None),
    person("options", **{"cn;lang-de": "Deutsch", "cn": "Plain"}),
    person("control", jpegPhoto="two\nlines", cn="one line"),
    person("longid" + "x" * 122, displayName="Longest"),
    ldif(f"ou=below,{PEOPLE}", {"objectClass": "organizationalUnit", "ou": "below"}),
    person("deep", where=f"ou=below,{PEOPLE}"),
    person("twin", displayName="Twin 1"),
    person("twin", where=f"ou=below,{PEOPLE}", displayName="Twin 2"),
    ldif(f"ou=also,{PEOPLE}", {"objectClass": "organizationalUnit", "ou": "also"}),
    person("triplet"),
    person("triplet", where=f"ou=below,{PEOPLE}"),
    person("triplet", where=f"ou=also,{PEOPLE}"),
])


class LdapCase(ScratchCase):
    """One slapd for the class, and a site whose app asks it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.slapd = Slapd(cls.scratch, MEMBERS + ODD)
        cls.site = Site(cls.scratch.path / "site")

    def use(self, **changes):
        """The store "staff" with these keys changed; None takes one away."""
        self.site.settings["stores"] = {"staff": self.slapd.settings(**changes)}
        self.site.write({"apps": {APP: {"store": "staff"}}})

    def look_up(self, user, **changes):
        """Exit status, the member, and what was on standard error."""
        self.use(**changes)
        done = command("lookup", "-c", self.site.conf, "staff", user)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    def found(self, user, **changes):
        code, member, errors = self.look_up(user, **changes)
        self.assertEqual(0, code, errors)
        return member

    def expect_wrong(self, user, reason, code=3, **changes):
        done, member, errors = self.look_up(user, **changes)
        self.assertEqual((code, None), (done, member), errors)
        self.assertRegex(errors, re.compile(reason, re.IGNORECASE))
        self.assertNotIn(READER_PASSWORD, errors)
        return errors


class Members(LdapCase):
    def test_found(self):
        member = self.found("m1", avatar_attribute="labeledURI", role_attribute="employeeType",
                            attributes={"team": "departmentNumber", "common": "cn"})
        self.assertEqual({"userId": "m1", "userName": "Ann", "avatarProfileUrl": "https://img.example.com/1.jpg",
                          "role": "host", "attributes": {"team": "d7", "common": "cn of m1"}}, member)

    def test_little_known(self):
        member = self.found("m2", avatar_attribute="labeledURI")
        self.assertEqual(("m2", "cn of m2", None), tuple(member.values())[:3])

    def test_not_found(self):
        for user in ("nobody", "m", "m11", "Ann", "cn of m1"):
            self.assertEqual(1, self.look_up(user)[0], user)

    def test_the_directory_spells_the_id(self):
        for user in ("M1", "m1 ", " m1"):
            self.assertEqual("m1", self.found(user)["userId"])

    def test_no_other_person(self):
        """The directory finds m1 for a full-width m, too; that is another id."""
        code, _, errors = self.look_up("ｍ1")
        self.assertEqual(1, code, errors)
        self.assertIn(f"uid=m1,{PEOPLE}: the directory takes another spelling", errors)
        self.assertEqual(1, self.look_up("m\u00ad1")[0])

    def test_several_values_of_the_id(self):
        """The one in the entry's own name."""
        for user in ("aliased", "an-alias", "0"):
            self.assertEqual("aliased", self.found(user)["userId"])

    def test_several_ids_and_none_in_the_name(self):
        self.expect_wrong("several", "several values of the id attribute", id_attribute="labeledURI")

    def test_active_filter(self):
        changes = {"active_filter": "(!(employeeType=disabled))"}
        self.assertEqual("m3", self.found("m3")["userId"])
        self.expect_wrong("m3", r'no active member "m3": the entry uid=m3,.* is there, but "active_filter" leaves it out',
                          code=1, **changes)
        errors = self.expect_wrong("nobody", 'there is no member "nobody"$', code=1, **changes)
        self.assertNotIn("active_filter", errors)
        self.assertNotIn("leaves", self.expect_wrong("deep2", "there is no member", code=1, **changes))
        self.expect_wrong("twin", "no active member \"twin\": several entries are there", code=1,
                          active_filter="(employeeType=nothing)")
        self.assertEqual("m1", self.found("m1", **changes)["userId"])
        self.assertEqual("m2", self.found("m2", **changes)["userId"])

    def test_scopes(self):
        self.assertEqual(0, self.look_up("deep")[0])
        self.assertEqual(1, self.look_up("deep", scope="one")[0])
        self.assertEqual(0, self.look_up("deep", scope="base", base=f"uid=deep,ou=below,{PEOPLE}")[0])
        self.assertEqual(1, self.look_up("m1", scope="base")[0])

    def test_other_filter_and_attributes(self):
        member = self.found("d7", filter="(departmentNumber={id})", name_attribute="sn",
                            id_attribute="departmentNumber")
        self.assertEqual(("d7", "sn"), (member["userId"], member["userName"]))
        self.assertEqual("cn of m1", self.found("m1", name_attribute=["mail", "cn", "displayName"])["userName"])

    def test_several_entries(self):
        """Never the first; the log names them."""
        errors = self.expect_wrong("twin", "more than one entry has the id")
        self.assertIn(f"uid=twin,{PEOPLE}", errors)
        self.assertIn(f"uid=twin,ou=below,{PEOPLE}", errors)
        self.expect_wrong("triplet", "more than one entry has the id: uid=triplet,.* and uid=triplet,")

    def test_search_references_are_no_entries(self):
        self.slapd.change(ldif(f"ou=elsewhere,{PEOPLE}", {
            "objectClass": ["referral", "extensibleObject"], "ou": "elsewhere",
            "ref": f"ldap://127.0.0.1:1/ou=elsewhere,{PEOPLE}"}))
        self.assertEqual("m1", self.found("m1")["userId"])
        self.assertEqual(1, self.look_up("nobody")[0])


class Values(LdapCase):
    def test_utf8(self):
        self.assertEqual("Zoë 😀 Ångström", self.found("utf8")["userName"])

    def test_binary(self):
        code, member, errors = self.look_up("binary", name_attribute=["jpegPhoto", "cn"])
        self.assertEqual((0, "Plain name"), (code, member["userName"]), errors)
        self.assertIn("the name is not UTF-8 without control characters", errors)
        code, _, errors = self.look_up("binary", id_attribute="jpegPhoto")
        self.assertEqual(1, code, errors)
        self.assertIn("the id is not UTF-8 without control characters", errors)

    def test_control_characters(self):
        self.assertEqual("one line", self.found("control", name_attribute=["jpegPhoto", "cn"])["userName"])

    def test_large(self):
        """A name is cut, all else is left out."""
        code, member, errors = self.look_up("large", role_attribute="displayName")
        self.assertEqual((0, LARGE[:256], None), (code, member["userName"], member["role"]), errors)
        self.assertIn("the name is longer than 256 bytes", errors)
        self.assertIn("the role is longer than 64 bytes", errors)

    def test_label_of_a_uri(self):
        """RFC 2079: the URI, a blank, a label."""
        self.assertEqual("https://a.example/3", self.found("labelled", avatar_attribute="labeledURI")["avatarProfileUrl"])

    def test_line_end(self):
        self.assertEqual("Line", self.found("line")["userName"])

    def test_several_values(self):
        self.assertIn(self.found("several", avatar_attribute="labeledURI")["avatarProfileUrl"],
                      ("https://a.example/1", "https://a.example/2"))

    def test_attribute_options(self):
        self.assertEqual("Plain", self.found("options")["userName"])
        self.assertEqual("Deutsch", self.found("options", name_attribute="cn;lang-de")["userName"])

    def test_schema_without_the_attribute(self):
        """No server knows these, and none minds."""
        member = self.found("m1", name_attribute="noSuchAttribute", avatar_attribute="neitherThis")
        self.assertEqual((None, None), (member["userName"], member["avatarProfileUrl"]))
        self.expect_wrong("m1", "no value of the id attribute", id_attribute="noSuchAttribute")

    def test_longest_id(self):
        self.assertEqual("Longest", self.found("longid" + "x" * 122)["userName"])


class Misconfigured(LdapCase):
    """What only the server can know: exit 3, with its own words."""

    def test_no_such_base(self):
        self.expect_wrong("m1", "No such object", base=f"ou=nowhere,{BASE}")

    def test_base_that_is_no_dn(self):
        self.expect_wrong("m1", "Invalid DN syntax", base="people")

    def test_wrong_password(self):
        self.expect_wrong("m1", "bind: Invalid credentials as cn=reader.*not tried again", bind_password="wrong")
        self.expect_wrong("m1", "Invalid credentials", bind_dn=f"cn=nobody,{BASE}")
        self.expect_wrong("m1", "invalid DN", bind_dn="reader")

    def test_rights_that_are_missing(self):
        """An account that sees nothing is not a directory without members."""
        self.expect_wrong("m1", "No such object|Insufficient access", bind_dn=None, bind_password=None)

    def test_base_elsewhere(self):
        self.expect_wrong("m1", "No such object|Referral|unwilling", base="dc=other,dc=org")


class Identity(LdapCase):
    def test_password_file(self):
        self.site.put("password", READER_PASSWORD + "\n", 0o600)
        changes = {"bind_password": None, "bind_password_file": "password"}
        self.assertEqual("m1", self.found("m1", **changes)["userId"])
        self.site.put("password", READER_PASSWORD, 0o644)
        _, member, errors = self.look_up("m1", **changes)
        self.assertEqual("m1", member["userId"])
        self.assertIn("any user of this machine can read it", errors)

    def test_external_by_socket(self):
        changes = {"bind_dn": None, "bind_password": None, "sasl_external": True}
        self.assertEqual("m1", self.found("m1", uri=self.slapd.local_uri, **changes)["userId"])

    def test_socket_with_password(self):
        self.assertEqual("m1", self.found("m1", uri=self.slapd.local_uri)["userId"])
        self.expect_wrong("m1", "cannot connect to /.*/nothing: No such file", 2, uri="ldapi://%2Ftmp%2Fnothing")


class Api(LdapCase):
    """The API answers from LDAP when one line of the app is changed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.use(cls, avatar_attribute="labeledURI", role_attribute="employeeType")
        cls.responder = RunningResponder(cls.scratch, cls.site)

    def ask(self, user):
        return self.responder.post(member_path(user), self.site.auth())

    def test_found(self):
        claims = self.site.check(self.ask("M1"), user="m1", name="Ann", avatar="https://img.example.com/1.jpg",
                                 role="host")
        self.assertEqual("m1", claims["sub"])

    def test_not_found(self):
        self.assertEqual((404, "MEMBER_NOT_FOUND"), self.ask("nobody").error)

    def test_two_entries(self):
        answer = self.ask("twin")
        self.assertEqual((500, "INTERNAL_SERVER_ERROR"), answer.error)
        self.assertNotIn(b"uid=", answer.body)
        self.responder.expect_log(f"more than one entry has the id: uid=twin,{PEOPLE} and uid=twin,ou=below,")

    def test_many_at_once(self):
        answers = at_once(24, lambda i: [self.ask(user) for user in ("m1", "m2", f"no{i}")])
        self.assertEqual([[200, 200, 404]] * 24, [[answer.status for answer in three] for three in answers])

    def test_ready(self):
        self.assertEqual(200, self.responder.call("GET", "/readyz").status)

    def test_no_secret_is_logged(self):
        self.ask("m1")
        self.assertNotIn(READER_PASSWORD, self.responder.log_text())


class Cgi(LdapCase):
    """A process for each request, which knows nothing of the one before."""

    def ask(self, user):
        values = {"REQUEST_METHOD": "POST", "REQUEST_URI": member_path(user), "GATEWAY_INTERFACE": "CGI/1.1",
                  "SERVER_PROTOCOL": "HTTP/1.1", "CONTENT_LENGTH": "0", "HTTP_AUTHORIZATION": self.site.auth()}
        done = run([programs().responder], env=environment(self.site, **values))
        self.assertEqual(0, done.returncode, done.stderr)
        return parse_cgi(done.stdout)

    def test_cold(self):
        self.site.settings["request_timeout"] = "30s"  # for a start under valgrind
        self.use(connect_timeout="20s", timeout="20s")
        self.site.check(self.ask("m1"), user="m1", name="Ann")
        self.assertEqual((404, "MEMBER_NOT_FOUND"), self.ask("nobody").error)

    def test_down(self):
        self.use(uri="ldap://127.0.0.1:1")
        answer = self.ask("m1")
        self.assertEqual((503, "MEMBER_STORE_UNAVAILABLE"), answer.error)
        self.assertTrue(answer.header("Retry-After"))


class Large(FreshCase):
    def test_ten_thousand_entries(self):
        slapd = Slapd(self.scratch, "".join(person(f"u{i:05}", displayName=f"Member {i}") for i in range(10_000)))
        self.site.write({"stores": {"staff": slapd.settings()}, "apps": {APP: {"store": "staff"}}})
        done = command("check", "-c", self.site.conf, "--online")
        self.assertIn("store staff: members: at least 500, active: at least 500\n", done.stdout)  # slapd's limit
        self.assertNotIn("warning", done.stderr)
        responder = self.start()

        def ask(i):
            user = f"u{i * 41:05}"
            self.site.check(responder.post(member_path(user), self.site.auth()), user=user, name=f"Member {i * 41}")
        at_once(8, lambda start: [ask(i) for i in range(start, 240, 8)])
        self.assertEqual(404, responder.post(member_path("u10000"), self.site.auth()).status)

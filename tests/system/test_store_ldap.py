# SPDX-License-Identifier: MIT
"""The LDAP store with a real slapd: what it finds, and how the configuration says so."""
import json
import re

from lib.answer import parse_cgi
from lib.case import FreshCase, ScratchCase, at_once
from lib.fake_ldap import Scripted
from lib.programs import SOURCE, programs
from lib.responder import RunningResponder, command, environment, run
from lib.site import APP, Site, member_path
from lib.slapd import BASE, MEMBERS, PEOPLE, READER_DN, READER_PASSWORD, SCHEMA, Slapd, ldif, person

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

    def test_server_that_is_down(self):
        """Nobody is "not found" who was looked for in half of the directory only."""
        self.add_reference("ldap://127.0.0.1:1/dc=x")
        self.expect_wrong("nobody", "referral to ldap://127.0.0.1:1: .*refused", 2, referrals=True)


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


class Check(LdapCase):
    """memberchat check: no network, all by itself."""

    def check(self, *options, **changes):
        self.use(**changes)
        return command("check", "-c", self.site.conf, *options)

    def test_good(self):
        done = self.check(uri="ldap://localhost:1", starttls=True)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_refused(self):
        put = self.site.put
        put("empty", "", 0o600)
        put("open", "secret", 0o666)
        put("lines", "secret\nmore\n", 0o600)
        put("text", "no certificate")
        secret = {"bind_password": None}
        rows = [
            ({"uri": None}, "uri: is missing"),
            ({"base": None}, "base: is missing"),
            ({"uri": "ldap.example.com"}, "does not begin with ldap://"),
            ({"uri": [self.slapd.uri, "ldap://a/b"]}, "has more than a host and a port"),
            ({"uri": "ldap://ldap.example.com"}, "clear text"),
            ({"uri": "ldap://10.1.2.3"}, "clear text"),
            ({"filter": "(uid=x)"}, r"has no \{id\}"),
            ({"filter": "(uid={id}"}, "closing parenthesis"),
            ({"filter": "(uid={user})"}, r"begin \{id\}"),
            ({"active_filter": "(o={id})"}, 'which only "filter" has'),
            ({"scope": "tree"}, "base one sub"),
            ({"id_attribute": "a b"}, "not the name of an attribute"),
            ({"name_attribute": ["cn", ""]}, "not the name of an attribute"),
            ({"attributes": {"x": "a)b"}}, "not the name of an attribute"),
            ({"bind_password": None}, 'needs "bind_password_file"'),
            ({"bind_dn": None}, 'no "bind_dn"'),
            ({"bind_password_file": "empty"}, "both"),
            ({"bind_password": ""}, "bind_password"),
            ({**secret, "bind_password_file": "empty"}, "is empty, and"),
            ({**secret, "bind_password_file": "lines"}, "several lines"),
            ({**secret, "bind_password_file": "open"}, "can write"),
            ({**secret, "bind_password_file": "missing"}, "No such file"),
            ({"sasl_external": True}, "no password"),
            ({**secret, "bind_dn": None, "sasl_external": True}, "needs ldapi"),
            ({"cert_file": "text"}, "go together"),
            ({"cert_file": "text", "key_file": "text"}, "no certificate in PEM"),
            ({"ca_file": "text"}, "no certificate in PEM"),
            ({"ca_file": "missing"}, "No such file"),
            ({"connections": -1}, "connections"),
            ({"filter": "(uid>={id}*)"}, "no pattern may stand"),
            ({"timeout": "0s"}, "timeout"),
            ({"bind_pasword": "x"}, 'did you mean "bind_password"'),
        ]
        for changes, reason in rows:
            with self.subTest(reason=reason, changes=changes):
                done = self.check(**changes)
                self.assertEqual(1, done.returncode)
                self.assertRegex(done.stderr, reason)
                self.assertNotIn(READER_PASSWORD, done.stderr)

    def test_clear_text_if_wanted(self):
        done = self.check(uri="ldap://ldap.example.com", allow_cleartext=True)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_localhost_is_no_network(self):
        """It is asked in clear text: that nobody listens is all that is wrong."""
        self.use(uri="ldap://localhost:1")
        self.assertEqual(2, command("lookup", "-c", self.site.conf, "staff", "m1").returncode)

    def test_online(self):
        done = self.check("--online")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stdout, r"store staff: ok, [\d.]+ ms")
        done = self.check("--online", base=f"ou=nowhere,{BASE}")
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stdout, "misconfigured, .*No such object")
        done = self.check("--online", uri="ldap://127.0.0.1:1")
        self.assertRegex(done.stdout, "unavailable, .*Connection refused")

    def test_online_counts(self):
        """What the directory holds: members, active ones, and attributes that none of them has."""
        done = self.check("--online", scope="one", active_filter="(!(employeeType=disabled))",
                          attributes={"team": "departmentNumber", "car": "carLicense"})
        counted = re.search("store staff: members: ([0-9]+), active: ([0-9]+)\n", done.stdout)
        self.assertTrue(counted, done.stdout + done.stderr)
        members, active = map(int, counted.groups())
        self.assertEqual(1, members - active)  # m3
        self.assertIn("warning: store staff: it lacks carLicense\n", done.stderr)
        self.assertNotIn("departmentNumber", done.stderr)
        self.assertEqual(0, done.returncode)
        done = self.check("--online", active_filter="(employeeType=nothing)")
        self.assertIn(", active: 0\n", done.stdout)
        self.assertIn("warning: store staff: no member is active", done.stderr)


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


class Examples(LdapCase):
    """The files in conf/stores work once they are corrected as they say."""

    def include(self, name, replacements):
        text = (SOURCE / "conf/stores" / name).read_text()
        for old, new in replacements:
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.site.put(name, text)
        self.site.settings["stores"] = {}
        self.site.settings["apps"][APP]["store"] = "staff"
        whole = self.site.text().replace("stores = {\n}", f'stores = {{\n@include "{name}"\n}}')
        self.assertIn("@include", whole)
        self.site.put("memberchat.conf", whole)

    def test_openldap(self):
        self.site.put("ldap.password", READER_PASSWORD, 0o600)
        self.include("openldap.conf", [
            ('"ldap://ldap1.example.com", "ldap://ldap2.example.com"', f'"{self.slapd.uri}", "{self.slapd.uri}"'),
            ("starttls = true", "starttls = false"), ("cn=memberchat,dc=example,dc=com", READER_DN)])
        done = command("lookup", "-c", self.site.conf, "staff", "m1")
        self.assertEqual(("Ann", 0), (json.loads(done.stdout)["userName"], done.returncode), done.stderr)
        self.assertEqual(0, command("check", "-c", self.site.conf, "--online").returncode)

    def test_everything_of_openldap_taken_in(self):
        """Each setting that is behind "#" is good, too."""
        text = (SOURCE / "conf/stores/openldap.conf").read_text()
        body = text[text.index("staff = {"):]
        without = re.compile(r"#(cert_file|key_file|ca_file|bind_password )")
        lines = [line if without.search(line) else re.sub(r"^    #(\w+ = )", r"    \1", line)
                 for line in body.splitlines()]
        self.site.put("ldap.password", READER_PASSWORD, 0o600)
        self.include("openldap.conf", [(body, "\n".join(lines) + "\n")])
        done = command("check", "-c", self.site.conf)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertNotIn("warning", done.stderr)

    def test_active_directory(self):
        """Its filters are good; the rest of it needs a domain."""
        self.site.put("ad.password", "secret", 0o600)
        self.include("active-directory.conf", [('ca_file = "domain-ca.pem"', "")])
        done = command("check", "-c", self.site.conf)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertNotIn("warning", done.stderr)

    def test_active_directory_with_everything_taken_in(self):
        """GUIDs, the nested groups, SRV: what is behind "#    " is good, too."""
        self.site.put("ad.password", "secret", 0o600)
        text = (SOURCE / "conf/stores/active-directory.conf").read_text()
        body = text[text.index("staff = {"):]
        settings = {}
        for line in body.splitlines()[1:-1]:
            if found := re.match(r"    (?:#    )?(\w+) = ", line):
                settings[found[1]] = line.replace("#", "", 1) if line.startswith("    #") else line
        del settings["ca_file"]
        self.include("active-directory.conf", [(body, "staff = {\n" + "\n".join(settings.values()) + "\n}\n")])
        done = command("check", "-c", self.site.conf)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("group_filter", settings)
        self.assertIn("1.4.1941", settings["active_filter"] + settings["group_filter"])

    def test_active_directory_schema(self):
        """Its filters and attributes, on a slapd with that schema.  objectCategory is another thing there."""
        def user(name, control):
            return ldif(f"cn={name},{PEOPLE}", {
                "objectClass": ["user", "extensibleObject"], "cn": name, "sn": "Smith", "sAMAccountName": name.lower(),
                "displayName": f"{name} Smith", "userAccountControl": str(control), "instanceType": "4",
                "nTSecurityDescriptor": "x", "objectCategory": BASE, "objectSid": "x"})
        schema = self.scratch.path / "ad.schema"  # in which names are found in upper and lower case, as there
        schema.write_text((SCHEMA / "msuser.schema").read_text(errors="replace").replace(
            "NAME 'sAMAccountName'", "NAME 'sAMAccountName' EQUALITY caseIgnoreMatch"))
        slapd = Slapd(self.scratch, user("Ann", 512) + user("Left", 514) + user("Bob", 66048), name="ad",
                      head=f"include {SCHEMA}/nis.schema\ninclude {schema}")
        self.site.put("ad.password", READER_PASSWORD, 0o600)
        self.include("active-directory.conf", [
            ('ca_file = "domain-ca.pem"', ""), ("memberchat@example.com", READER_DN), ("(objectCategory=person)", ""),
            ('"ldaps://dc1.example.com", "ldaps://dc2.example.com"', f'"{slapd.uri}"')])
        for user_id, name in (("ANN", "Ann Smith"), ("bob", "Bob Smith"), ("left", None)):
            done = command("lookup", "-c", self.site.conf, "staff", user_id)
            member = json.loads(done.stdout) if done.stdout else {"userName": None}
            self.assertEqual((name, 0 if name else 1), (member["userName"], done.returncode), done.stderr)
            self.assertEqual(user_id.lower() if name else None, member.get("userId"))

# SPDX-License-Identifier: MIT
"""The LDAP store: what `memberchat check` says of its settings, and the examples in conf/."""
import json
import re

from lib.programs import SOURCE
from lib.responder import command
from lib.site import APP
from lib.slapd import BASE, PEOPLE, READER_DN, READER_PASSWORD, SCHEMA, Slapd, ldif
from test_store_ldap import LdapCase


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
        put("long", "x" * 1025, 0o600)
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
            ({"group_filter": "(member={dn}"}, "group_filter: .*closing parenthesis"),
            ({"bind_password": None}, 'needs "bind_password_file"'),
            ({"bind_dn": None}, r'staff\.bind_password: needs "bind_dn"'),
            ({"bind_password_file": "empty"}, r"staff\.bind_password: .* is set, too"),
            ({"bind_password": ""}, "bind_password"),
            ({**secret, "bind_password_file": "empty"}, "/empty is empty"),
            ({**secret, "bind_password_file": "lines"}, "must be one line of text"),
            ({**secret, "bind_password_file": "open"}, "can write"),
            ({**secret, "bind_password_file": "missing"}, "No such file"),
            ({"sasl_external": True}, "no password"),
            ({**secret, "sasl_external": True}, "no password"),
            ({"bind_dn": None, "sasl_external": True}, "no password"),
            ({**secret, "bind_dn": None, "sasl_external": True, "bind_password_file": "long"}, "no password"),
            ({**secret, "bind_dn": None, "bind_password_file": "long"}, 'needs "bind_dn"'),
            ({**secret, "bind_password_file": "long"}, "is larger than 1024 bytes"),
            ({**secret, "bind_dn": None, "sasl_external": True}, "needs ldapi"),
            ({**secret, "bind_dn": None, "sasl_external": True, "cert_file": "text", "key_file": "text"},
             "needs ldapi"),
            ({"cert_file": "text"}, r"staff\.cert_file: needs \"key_file\""),
            ({"cert_file": "text", "key_file": "text"}, "no certificate in PEM"),
            ({"ca_file": "text"}, "no certificate in PEM"),
            ({"ca_file": "missing"}, "No such file"),
            ({"connections": -1}, "connections"),
            ({"filter": "(uid>={id}*)"}, "no pattern may stand"),
            ({"timeout": "0s"}, "timeout"),
            ({"bind_pasword": "x"}, 'did you mean "bind_password"'),
        ]
        self.expect_refused(rows)

    def test_refused_attributes(self):
        self.expect_refused((
            ({"id_attribute": "a b"}, "not the name of an attribute"),
            ({"name_attribute": ["cn", ""]}, "not the name of an attribute"),
            ({"attributes": {"x": "a)b"}}, "not the name of an attribute"),
            ({"avatar_attribute": "a b"}, "avatar_attribute: .* not the name of an attribute"),
            ({"role_attribute": "a b"}, "role_attribute: .* not the name of an attribute"),
            ({"group_attribute": "a b"}, "group_attribute: .* not the name of an attribute"),
            ({"attributes": {"x" * 65: "cn"}}, "is longer than 64 bytes"),
            ({"group_base": BASE, "attributes": {"groups": "cn"}}, 'is what "group_base" finds'),
            ({"attributes": {f"a{i}": "cn" for i in range(32)}, "member": {"name": "{more}"}},
             "name more than 32 attributes"),
        ))

    def expect_refused(self, rows):
        for changes, reason in rows:
            with self.subTest(reason=reason, changes=changes):
                done = self.check(**changes)
                self.assertEqual(1, done.returncode)
                self.assertRegex(done.stderr, reason)
                self.assertNotIn(READER_PASSWORD, done.stderr)

    def test_clear_text_if_wanted(self):
        done = self.check(uri=["ldap://ldap.example.com", "ldap://localhost", "ldaps://a.example.com"],
                          allow_cleartext=True)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(1, done.stderr.count("in clear text (allow_cleartext)"), done.stderr)

    def test_key_that_anyone_can_read(self):
        self.site.put("some.pem", "-----BEGIN CERTIFICATE-----\n")
        for mode, warnings in ((0o640, 0), (0o644, 1)):
            self.site.put("some.key", "-----BEGIN PRIVATE KEY-----\n", mode)
            done = self.check(uri="ldaps://ldap.example.com", cert_file="some.pem", key_file="some.key")
            self.assertEqual((0, warnings), (done.returncode, done.stderr.count("any user of this machine can read")),
                             done.stderr)

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
        done = self.check("--online", attributes={f"a{i}": f"anAttributeThatNobodyHas{i}" for i in range(20)})
        self.assertRegex(done.stderr, "warning: store staff: it lacks (anAttributeThatNobodyHas[0-9]+, ){8,10}anA")
        done = self.check("--online", active_filter="(employeeType=nothing)")
        self.assertIn(", active: 0\n", done.stdout)
        self.assertIn("warning: store staff: no member is active", done.stderr)


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

# SPDX-License-Identifier: MIT
"""The LDAP store where a directory serves a domain: GUIDs, groups, servers by DNS."""
import json

from lib.programs import preloading
from lib.responder import command, environment
from lib.slapd import BASE, PEOPLE, Slapd, ldif, person
from test_store_ldap import LdapCase


def flatten(pairs):
    """Pairs of all levels of a JSON object, one for each value."""
    found = []
    for key, value in pairs:
        inner = value if isinstance(value, list) else [value]
        found += [one if isinstance(one, tuple) else (key, one) for one in inner]
    return found


class Guids(LdapCase):
    """Binary ids, as Active Directory has them, in Microsoft's text form."""
    TEXT, BYTES = "6b29fc40-ca47-1067-b31d-00dd010662da", bytes.fromhex("40fc296b47ca6710b31d00dd010662da")
    OTHER = "40fc296b-47ca-6710-b31d-00dd010662da"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        schema = cls.scratch.path / "guid.schema"
        schema.write_text("attributetype ( 1.3.6.1.4.1.4203.666.1.98 NAME 'objectGUID' EQUALITY octetStringMatch\n"
                          "  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )\n")
        cls.slapd = Slapd(cls.scratch, person("ann", objectClass=["inetOrgPerson", "extensibleObject"], displayName="Ann",
                                              objectGUID=cls.BYTES) + person("text", employeeType=cls.TEXT),
                          name="guid", head=f"include {schema}")

    def ask(self, user, **changes):
        return self.look_up(user, **{"id_format": "guid", "id_attribute": "objectGUID",
                                     "filter": "(objectGUID={id})", **changes})

    def test_in_both_directions(self):
        for user in (self.TEXT, self.TEXT.upper()):
            code, member, errors = self.ask(user)
            self.assertEqual((0, self.TEXT, "Ann"), (code, member["userId"], member["userName"]), errors)
        self.assertIn(r"(objectGUID=@\FC\29kG\CAg\10\B3\1D\00\DD\01\06b\DA)", self.slapd.log_text())

    def test_nobody(self):
        self.assertEqual(1, self.ask(self.OTHER)[0])

    def test_what_is_no_guid_is_not_asked_for(self):
        before = self.slapd.count(" SRCH base=")
        for user in ("ann", self.TEXT[:-1], self.TEXT + "0", "{" + self.TEXT + "}", self.TEXT.replace("-", ""), "*"):
            self.assertEqual(1, self.ask(user)[0], user)
        self.assertEqual(before, self.slapd.count(" SRCH base="))

    def test_attribute_of_another_kind(self):
        code, _, errors = self.ask(self.TEXT, id_attribute="uid")
        self.assertEqual(3, code, errors)
        self.assertIn("has an id that is not a GUID", errors)

    def test_probe(self):
        self.use(id_format="guid", id_attribute="objectGUID", filter="(objectGUID={id})")
        done = command("check", "-c", self.site.conf, "--online")
        self.assertEqual(0, done.returncode, done.stderr)


class Groups(LdapCase):
    """Groups that the entry does not have in memberOf: another search."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        where = f"ou=groups,{BASE}"

        def group(name, *users):
            return ldif(f"cn={name},{where}", {"objectClass": "groupOfNames", "cn": name, "description": f"About {name}",
                                               "member": [f"uid={user},{PEOPLE}" for user in users]})
        cls.where = where
        cls.slapd.change(ldif(where, {"objectClass": "organizationalUnit", "ou": "groups"}) +
                         group("mods", "m1", "m2") + group("staff", "m1") +
                         ldif(f"cn=posix,{where}", {"objectClass": ["organizationalRole", "extensibleObject"],
                                                    "cn": "posix", "description": "By id", "uid": "m1"}))

    def values(self, user, name, **changes):
        """All of an attribute, whatever their order."""
        self.use(**{"group_base": self.where, **changes})
        done = command("lookup", "-c", self.site.conf, "staff", user)
        self.assertEqual(0, done.returncode, done.stderr)
        return sorted(value for key, value in json.loads(done.stdout, object_pairs_hook=flatten) if key == name)

    def groups(self, user, **changes):
        return self.values(user, "groups", **changes)

    def test_by_dn(self):
        self.assertEqual(["mods", "staff"], self.groups("M1"))
        self.assertEqual(["mods"], self.groups("m2"))
        self.assertEqual([], self.groups("m3"))

    def test_by_id(self):
        """The directory's own spelling of it."""
        self.assertEqual(["posix"], self.groups("M1", group_filter="(uid={id})"))

    def test_other_attribute(self):
        self.assertEqual(["About mods"], self.groups("m2", group_attribute="description"))

    def test_role_and_name_by_templates(self):
        """What a template names is fetched, without being an attribute of the configuration."""
        member = {"name": "{cn} ({sn})", "roles": ({"field": "groups", "is": "staff", "role": "clerk"},
                                                   {"field": "groups", "is": "mods", "role": "moderator"})}
        for user, role in (("m1", "clerk"), ("m2", "moderator"), ("m3", None)):
            found = self.found(user, group_base=self.where, member=member)
            self.assertEqual((f"cn of {user} (sn)", role), (found["userName"], found["role"]))
        self.use(member={"name": "{no such thing}"})
        self.assertIn('a template names "no such thing"', command("check", "-c", self.site.conf).stderr)

    def test_no_group_is_lost(self):
        """A group that cannot be looked for may mean another role: no token rather than a wrong one."""
        self.expect_wrong("m1", "groups of uid=m1,.*: search: No such object", group_base=f"ou=nowhere,{BASE}")

    def test_many_values_of_one_attribute(self):
        self.assertEqual(["0", "aliased", "an-alias"], self.values("aliased", "ids", attributes={"ids": "uid"}))


class Dns(LdapCase):
    """Servers by SRV records; a preloaded resolver answers."""

    def ask(self, records, **changes):
        self.use(**{"uri": "srv:example.com", "allow_cleartext": True, **changes})
        path = self.site.put("srv", records, 0o644)
        return command("lookup", "-c", self.site.conf, "staff", "m1", env=environment(
            self.site, MEMBERCHAT_TEST_SRV=str(path), **preloading("resolver")))

    def test_lowest_priority_first(self):
        done = self.ask(f"20 1 1 dead.example.com\n10 1 {self.slapd.port} ldap.example.com\n")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertNotIn("dead.example.com", done.stderr)

    def test_the_next_one_when_it_is_down(self):
        done = self.ask(f"10 1 1 dead.example.com\n20 1 {self.slapd.port} ldap.example.com\n")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("ldap://dead.example.com:1: cannot connect", done.stderr)

    def test_nowhere(self):
        for records in ("", "0 0 0 .\n"):
            done = self.ask(records)
            self.assertEqual(2, done.returncode, done.stderr)
            self.assertIn("no SRV record of _ldap._tcp.example.com", done.stderr)

    def test_in_clear_text_only_if_wanted(self):
        self.use(uri="srv:example.com")
        self.assertIn("clear text", command("check", "-c", self.site.conf).stderr)
        self.use(uri=["srv:example.com", self.slapd.uri], starttls=True)
        self.assertIn("must stand alone", command("check", "-c", self.site.conf).stderr)

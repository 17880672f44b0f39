# SPDX-License-Identifier: MIT
"""What the group `member` of a store makes of ids and members."""
import json
import signal

from lib.case import FreshCase
from lib.responder import command
from lib.scratch import wait_until
from lib.site import APP, member_path
from lib.tokens import verify

PEOPLE = """login;first;last;nick;mail;dept;roles;state
ann;Ann;Lee;;ANN@Example.com ;IT;editor,administrator;ACTIVE
bob;Bob;Ray;Bobby;;Sales;;ACTIVE
cy;Cy;;;;Sales;;ACTIVE
dee;{long};x;;;{long};;ACTIVE
gone;Gone;;;;;;WITHDRAWN
""".format(long="é" * 200)

MEMBER = """{
    asked = [ "trim", "lower", "before @" ]
    name = [ "{nick}", "{first} {last}", "{first}" ]
    avatar = "https://img.example.com/{mail|trim|lower|sha256}"
    role = "{dept|lower}"
    roles = ( { field = "roles"; contains = "administrator"; role = "admin" } )
}"""


class MappingCase(FreshCase):
    def use(self, member=MEMBER, people=PEOPLE):
        self.site.put("people.csv", people)
        self.site.put("store.conf", 'plugin = "file"; path = "people.csv"; separator = ";"; id_column = "login";'
                      f"member = {member}\n")
        text = self.site.text()
        conf = self.site.folder / "mapped.conf"
        begin, end = text.index("stores"), text.index("apps")
        conf.write_text(text[:begin] + 'stores = { members = {\n@include "store.conf"\n} }\n' + text[end:])
        conf.chmod(0o640)
        return conf

    def lookup(self, conf, user):
        done = command("lookup", "-c", conf, "members", user)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr

    def check(self, member):
        done = command("check", "-c", self.use(member))
        return done.returncode, done.stderr


class Members(MappingCase):
    def test_nothing_left_of_an_id(self):
        """Then the store is not asked."""
        self.site.write({"stores": {"members": {"member": {"asked": ["before @"]}}}})
        responder = self.start()
        self.assertEqual((404, "MEMBER_NOT_FOUND"), responder.post(member_path("%40example.com"), self.site.auth()).error)
        self.assertEqual(200, responder.post(member_path("1%40example.com"), self.site.auth()).status)

    def test_names_pictures_and_roles(self):
        conf = self.use()
        ann = self.lookup(conf, " ANN@anywhere.org")
        self.assertEqual(["ann", "Ann Lee", "admin"], [ann[k] for k in ("userId", "userName", "role")])
        self.assertEqual("https://img.example.com/71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476",
                         ann["avatarProfileUrl"])
        self.assertEqual({"id": "ann", "name": None, "avatar": None, "role": None}, ann["fromStore"])
        bob = self.lookup(conf, "bob")
        self.assertEqual(["Bobby", None, "sales"], [bob[k] for k in ("userName", "avatarProfileUrl", "role")])
        self.assertEqual("Cy", self.lookup(conf, "cy")["userName"])

    def test_the_token_has_them(self):
        conf = self.use()
        done = command("token", "-c", conf, APP, "--member", "ANN@x")
        claims = verify(json.loads(done.stdout)["chatToken"], self.site.signing_key())[1]
        self.assertEqual(("ann", "Ann Lee", "admin"), (claims["sub"], claims["name"], claims["role"]))

    def test_what_is_too_long_costs_nobody_the_token(self):
        conf = self.use()
        dee = self.lookup(conf, "dee")
        self.assertEqual("é" * 128, dee["userName"])
        self.assertIsNone(dee["role"])
        self.assertEqual(0, command("token", "-c", conf, APP, "--member", "dee").returncode)

    def test_not_there_and_not_active_differ(self):
        conf = self.use()
        self.assertRegex(self.lookup(conf, "GONE"), 'no active member "gone".*WITHDRAWN')
        self.assertRegex(self.lookup(conf, "Nobody@x"), 'no member "nobody", which "asked" makes of "Nobody@x"')

    def test_check_online_counts(self):
        done = command("check", "--online", "-c", self.use())
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("store members: members: 5, active: 4\n", done.stdout)
        self.assertRegex(done.stdout, "states: ACTIVE 4, WITHDRAWN 1")
        done = command("check", "--online", "-c", self.use(people=PEOPLE.replace("ACTIVE", "LEFT")))
        self.assertIn("no member is active", done.stderr)


class Mistakes(MappingCase):
    def test_each_is_named_with_its_line(self):
        for member, wanted in (
                ('{ name = "{nik}" }', 'no column "nik"'),
                ('{ roles = ( { field = "grp"; is = "x"; role = "y" } ) }', 'no column "grp"'),
                ('{ name = "{nick" }', r"store.conf:1: .*member.name: .*no closing brace"),
                ('{ name = "{nick|loud}" }', '"loud" is not a filter'),
                ('{ asked = "upper" }', '"upper" cannot be done to an id'),
                ('{ nane = "x" }', 'nane: unknown key \\(did you mean "name"'),
                ('{ roles = ( { field = "dept"; role = "y" } ) }', 'either "is" or "contains"'),
                ('{ roles = ( { field = "dept"; is = "a"; contains = "b"; role = "y" } ) }', "either"),
                ('{ roles = ( { field = "dept"; is = "a" } ) }', "role: is missing"),
                ('{ roles = ( { field = "dept"; is = "a"; role = "guest" } ) }', "role of guests only"),
                ('{ roles = ( "dept" ) }', "expected a group such as"),
                ('{ roles = "dept" }', "list of groups"),
                ('"x"', "member: expected a group")):
            with self.subTest(member=member):
                code, errors = self.check(member)
                self.assertEqual(1, code, errors)
                self.assertRegex(errors, wanted)


class Serving(MappingCase):
    def answer(self):
        return self.responder.post(member_path("ANN@x"), self.site.auth()).json

    def claims(self):
        return verify(self.answer()["chatToken"], self.site.signing_key())[1]

    def test_what_changes_is_in_force_after_a_reload(self):
        """Also where only the claims ask for another attribute of the same store."""
        self.site.put("people.csv", PEOPLE)
        self.site.put("claims.json", '{"dept": "{attr.dept}", "mail": "{attr.mail}"}')
        people = {"plugin": "file", "path": "people.csv", "separator": ";", "id_column": "login"}
        mapped = {"name": "{first}", "asked": ["lower", "before @"]}
        self.site.write({"stores": {"members": {**people, "member": mapped}}})
        self.responder = self.start()
        self.assertEqual(("ann", "Ann"), (self.answer()["userId"], self.answer()["userName"]))
        self.site.change_app(token={"claims": "claims.json"})
        self.responder.process.popen.send_signal(signal.SIGHUP)
        wait_until("the attribute", lambda: self.claims().get("dept") == "IT")
        self.assertEqual("ANN@Example.com", self.claims()["mail"].strip())
        self.site.write({"stores": {"members": {**people, "member": {**mapped, "name": "{last}"}}}})
        self.responder.process.popen.send_signal(signal.SIGHUP)
        wait_until("the new name", lambda: self.answer()["userName"] == "Lee")

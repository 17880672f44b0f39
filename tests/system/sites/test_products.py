# SPDX-License-Identifier: MIT
"""WordPress and MediaWiki as Debian has them, installed by their own installers: people, roles and bans are made by
the products, and tokens follow at once."""
import re

from lib.case import FreshCase
from lib.php import MediaWiki, WordPress
from lib.programs import SOURCE
from lib.responder import command
from lib.site import APP, member_path
from lib.sql import MariaDB


class Products(FreshCase):
    def setUp(self):
        super().setUp()
        self.server = MariaDB()
        self.addCleanup(self.server.remove)

    def serve(self, store):
        """A responder with this group, after the GRANTs in its comments; it remembers nobody, so that bans count at once."""
        for grant in re.findall(r"#\s+(GRANT .*;)", store):
            self.server.sql(grant.replace("'chat'@'localhost'", "chat"))
        store = store.replace('plugin = "mysql"', 'plugin = "mysql"\n    cache = { size = 0 }', 1)
        name = re.search(r"^(\w+) = \{", store, re.MULTILINE)[1]
        self.site.put(f"{name}.password", "secret\n")
        self.site.change_app(store=name)
        self.site.put("memberchat.conf", self.site.text().replace("stores = {", "stores = {\n" + store, 1))
        done = command("check", "--online", "-c", self.site.conf)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.responder = self.start(address=self.scratch.path / f"mc-{len(self.scratch.processes)}.sock")

    def made_by_new_store(self, product, file):
        done = command("new-store", product, file)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return done.stdout

    def shipped(self, product, database):
        """The group of conf/stores/, with what it says to adapt adapted."""
        text = (SOURCE / f"conf/stores/{product}.conf").read_text()
        text = re.sub(r'socket = "[^"]*"[^\n]*', f'socket = "{self.server.socket}"', text)
        return re.sub(rf" {product}\.(?=\w+ TO)", f" {database}.", text).replace(
            f'database = "{product}"', f'database = "{database}"')

    def ask(self, user):
        return self.responder.post(member_path(user), self.site.auth())

    def expect(self, user, name, role):
        answer = self.ask(user)
        self.assertEqual(200, answer.status, (user, answer.json))
        self.site.check(answer, user=user, name=name, role=role, avatar=answer.json["avatarProfileUrl"])
        return answer.json

    def expect_none(self, *users):
        for user in users:
            self.assertEqual((404, "MEMBER_NOT_FOUND"), self.ask(user).error, user)


class OfWordPress(Products):
    def test_people_roles_and_those_who_lost_theirs(self):
        blog = WordPress(self.site.folder, self.server)
        ann = blog.run("add", "ann", "Ann Müller & Söhne <3 🙂", "subscriber")
        bob = blog.run("add", "bob", "Bob", "editor")
        for store in (self.made_by_new_store("wordpress", blog.config), self.shipped("wordpress", "blog")):
            with self.subTest(store=store):
                self.serve(store)
                self.expect("1", "admin", "admin")
                self.expect(bob, "Bob", "moderator")
                picture = self.expect(ann, "Ann Müller & Söhne <3 🙂", "member")["avatarProfileUrl"]
                self.assertRegex(picture, "^https://www.gravatar.com/avatar/[0-9a-f]{64}")
                blog.run("role", ann, "")
                self.expect_none(ann, "99", "ann")
                blog.run("role", ann, "administrator")
                self.expect(ann, "Ann Müller & Söhne <3 🙂", "admin")
                blog.run("role", ann, "subscriber")
        blog.run("delete", bob)
        self.expect_none(bob)

    def test_network_of_sites(self):
        blog = WordPress(self.site.folder, self.server, prefix="Net_")
        ann = blog.run("add", "ann", "Ann", "subscriber")
        bob = blog.run("add", "bob", "Bob", "author")
        blog.make_network()
        self.serve(self.made_by_new_store("wordpress", blog.config))
        self.expect("1", "admin", "admin")
        self.expect(bob, "Bob", "member")
        for word in ("spam", "deleted"):
            self.expect(ann, "Ann", "member")
            blog.run("status", ann, word, "1")
            self.expect_none(ann)
            blog.run("status", ann, word, "0")
        self.expect(ann, "Ann", "member")


class OfMediaWiki(Products):
    def test_people_groups_and_blocks(self):
        wiki = MediaWiki(self.site.folder, self.server, prefix="mw_")
        ann = wiki.make_person("Ann Müller")
        bob = wiki.make_person("Bob", "--sysop", "--bureaucrat")
        self.serve(self.made_by_new_store("mediawiki", wiki.config))
        self.expect("1", "Admin", "admin")
        self.expect(ann, "Ann Müller", "member")
        self.expect(bob, "Bob", "admin")
        wiki.run("blockUsers", text="Ann Müller\n")
        self.expect_none(ann, "99", "Bob")
        wiki.run("blockUsers", "--unblock", text="Ann Müller\n")
        self.expect(ann, "Ann Müller", "member")

    def test_recipe_that_is_shipped(self):
        wiki = MediaWiki(self.site.folder, self.server)
        ann = wiki.make_person("Ann")
        self.serve(self.shipped("mediawiki", "wiki"))
        self.expect("1", "Admin", "admin")
        self.expect(ann, "Ann", "member")
        wiki.run("blockUsers", text="Ann\n")
        self.expect_none(ann)

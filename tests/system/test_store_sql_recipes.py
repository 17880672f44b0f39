# SPDX-License-Identifier: MIT
"""The queries of conf/stores/ on the tables of the products: who is found, as what, and who is not."""
import json
import re

from lib.case import FreshCase
from lib.programs import SOURCE
from lib.responder import command
from lib.sql import MariaDB, PostgreSQL

# Per product: its tables, with people 1 (a usual member), 2 (an administrator), 3 (not allowed); the name of 1.
PRODUCTS = {
    "wordpress": ("Ann", """
        CREATE TABLE wp_users (ID bigint PRIMARY KEY, display_name varchar(250), user_email varchar(100));
        CREATE TABLE wp_usermeta (user_id bigint, meta_key varchar(255), meta_value longtext);
        INSERT INTO wp_users VALUES (1, 'Ann', 'Ann@Example.com '), (2, 'Bob', ''), (3, 'Cid', '');
        INSERT INTO wp_usermeta VALUES (1, 'wp_capabilities', 'a:1:{s:10:"subscriber";b:1;}'), (1, 'x', 'y'),
            (2, 'wp_capabilities', 'a:1:{s:13:"administrator";b:1;}'), (3, 'wp_capabilities', 'a:0:{}')"""),
    "phpbb": ("Ann", """
        CREATE TABLE phpbb_users (user_id int, username varchar(255), user_type int, group_id int);
        CREATE TABLE phpbb_groups (group_id int, group_name varchar(255));
        CREATE TABLE phpbb_banlist (ban_userid int, ban_exclude int, ban_end int);
        INSERT INTO phpbb_groups VALUES (2, 'REGISTERED'), (5, 'ADMINISTRATORS');
        INSERT INTO phpbb_users VALUES (1, 'Ann', 0, 2), (2, 'Bob', 3, 5), (3, 'Cid', 0, 2);
        INSERT INTO phpbb_banlist VALUES (1, 0, 1), (3, 0, 0)"""),
    "drupal": ("Ann", """
        CREATE TABLE users_field_data (uid int, name varchar(60), status tinyint, default_langcode tinyint);
        CREATE TABLE user__roles (entity_id int, deleted tinyint, roles_target_id varchar(255));
        INSERT INTO users_field_data VALUES (1, 'Ann', 1, 1), (2, 'Bob', 1, 1), (3, 'Cid', 0, 1);
        INSERT INTO user__roles VALUES (2, 0, 'content_editor'), (2, 0, 'administrator')"""),
    "joomla": ("Ann", """
        CREATE TABLE jos_users (id int, name varchar(400), block tinyint, activation varchar(100));
        CREATE TABLE jos_user_usergroup_map (user_id int, group_id int);
        CREATE TABLE jos_usergroups (id int, title varchar(100));
        INSERT INTO jos_users VALUES (1, 'Ann', 0, ''), (2, 'Bob', 0, '0'), (3, 'Cid', 1, '');
        INSERT INTO jos_usergroups VALUES (2, 'Registered'), (8, 'Super Users');
        INSERT INTO jos_user_usergroup_map VALUES (1, 2), (2, 2), (2, 8)"""),
    "mediawiki": ("Ann", """
        CREATE TABLE user (user_id int, user_name varbinary(255));
        CREATE TABLE user_groups (ug_user int, ug_group varbinary(255), ug_expiry varbinary(14));
        CREATE TABLE ipblocks (ipb_user int, ipb_sitewide tinyint, ipb_expiry varbinary(14));
        INSERT INTO user VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cid');
        INSERT INTO user_groups VALUES (1, 'sysop', '20200101000000'), (2, 'bureaucrat', NULL), (2, 'sysop', NULL);
        INSERT INTO ipblocks VALUES (1, 1, '20200101000000'), (3, 1, 'infinity')"""),
    "moodle": ("Ann Smith", """
        CREATE TABLE mdl_user (id bigint, firstname varchar(100), lastname varchar(100), deleted tinyint,
            suspended tinyint, confirmed tinyint);
        INSERT INTO mdl_user VALUES (1, 'Ann', 'Smith', 0, 0, 1), (2, 'Bob', 'Jones', 0, 0, 1), (3, 'C', 'D', 0, 1, 1)"""),
    "discourse": ("Ann", """
        CREATE TABLE users (id int, name text, username text, admin bool, moderator bool, active bool, staged bool,
            suspended_till timestamp, silenced_till timestamp);
        INSERT INTO users VALUES (1, '', 'Ann', false, false, true, false, '2020-01-01', NULL),
            (2, 'Bob', 'bob', true, true, true, false, NULL, NULL),
            (3, 'Cid', 'cid', false, false, true, false, '2999-01-01', NULL)"""),
    "flarum": ("Ann", """
        CREATE TABLE users (id int, username varchar(100), is_email_confirmed tinyint, suspended_until datetime);
        CREATE TABLE group_user (user_id int, group_id int);
        CREATE TABLE `groups` (id int, name_singular varchar(100));
        INSERT INTO users VALUES (1, 'Ann', 1, '2020-01-01'), (2, 'Bob', 1, NULL), (3, 'Cid', 1, '2999-01-01');
        INSERT INTO `groups` VALUES (1, 'Admin'), (4, 'Mod');
        INSERT INTO group_user VALUES (2, 4), (2, 1)"""),
    "smf": ("Ann", """
        CREATE TABLE smf_members (id_member int, real_name varchar(255), id_group int, is_activated int);
        CREATE TABLE smf_membergroups (id_group int, group_name varchar(80));
        INSERT INTO smf_members VALUES (1, 'Ann', 0, 1), (2, 'Bob', 1, 1), (3, 'Cid', 0, 11);
        INSERT INTO smf_membergroups VALUES (1, 'Administrator')"""),
    "mybb": ("Ann", """
        CREATE TABLE mybb_users (uid int, username varchar(120), usergroup int);
        CREATE TABLE mybb_usergroups (gid int, title varchar(120), isbannedgroup int);
        CREATE TABLE mybb_banned (uid int, lifted int);
        INSERT INTO mybb_users VALUES (1, 'Ann', 2), (2, 'Bob', 4), (3, 'Cid', 2);
        INSERT INTO mybb_usergroups VALUES (2, 'Registered', 0), (4, 'Administrators', 0);
        INSERT INTO mybb_banned VALUES (1, 1), (3, 0)"""),
}


class Recipes(FreshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = {"mysql": MariaDB(), "pgsql": PostgreSQL()}
        for server in cls.servers.values():
            cls.addClassCleanup(server.remove)

    def adapt(self, product):
        """The recipe with our server in it, and its own GRANTs given."""
        text = (SOURCE / f"conf/stores/{product}.conf").read_text()
        server = self.servers[re.search(r'plugin = "(\w+)"', text)[1]]
        database = re.search(r'database = "(\w+)"', text)[1]
        if server.plugin == "mysql":
            server.sql(f"CREATE DATABASE {database}; USE {database};" + PRODUCTS[product][1] + ";")
        else:
            server.sql(PRODUCTS[product][1] + ";")
        for grant in re.findall(r"#\s+(GRANT .*;)", text):
            server.sql(grant.replace("'chat'@'localhost'", "chat"))
        if server.plugin == "pgsql":
            text = text.replace(f'database = "{database}"', 'database = "site"')
        text = re.sub(r"socket = .*", f'hosts = "127.0.0.1"; port = {server.port}', text)
        self.site.put(f"{product}.password", "secret\n")
        self.site.put(f"{product}.conf", text)

    def check_people(self, product, conf):
        usual, admin, barred = (self.lookup(product, user) for user in "123")
        self.assertIsInstance(usual, dict, usual)
        self.assertEqual(PRODUCTS[product][0], usual["userName"])
        if product != "moodle":
            self.assertEqual("admin", admin["role"])
        self.assertEqual(1, getattr(barred, "returncode", barred), barred)
        self.site.conf.write_text(conf)

    def lookup(self, product, user):
        done = command("lookup", "-c", self.site.conf, product, user)
        return json.loads(done.stdout) if done.returncode == 0 else done

    def test_who_is_found_and_as_what(self):
        for product in PRODUCTS:
            with self.subTest(product=product):
                self.adapt(product)
                conf = self.site.conf.read_text()
                self.addCleanup(self.site.conf.write_text, conf)
                self.site.conf.write_text(re.sub(r"stores\s*[=:]\s*\{", f'stores = {{\n@include "{product}.conf"\n', conf, count=1))
                self.check_people(product, conf)

    def test_group_made_of_the_products_own_configuration(self):
        server = self.servers["mysql"]
        files = {
            "wordpress": "<?php\n/* define('DB_NAME', 'no'); */ define( 'DB_NAME', 'made_wordpress' ); # 'DB_NAME', 'no'\n"
                         f"define('DB_PASSWORD', 'it\\'s'); define(\"DB_HOST\",'127.0.0.1:{server.port}');\n"
                         "$table_prefix  = 'wp_';\n",
            "mediawiki": '<?php $wgDBtype = "mysql"; $wgDBname = "made_mediawiki"; $wgDBprefix = "";\n'
                         f'$wgDBserver = "127.0.0.1:{server.port}";',
            "phpbb": "<?php $dbms = 'phpbb\\\\db\\\\driver\\\\mysqli'; $dbhost = '127.0.0.1'; "
                     f"$dbport = '{server.port}'; $dbname = 'made_phpbb'; $table_prefix = 'phpbb_';",
        }
        for product, text in files.items():
            with self.subTest(product=product):
                self.site.put(f"{product}.php", text)
                done = command("new-store", product, self.site.folder / f"{product}.php")
                self.assertEqual((0, ""), (done.returncode, done.stderr))
                server.sql(f"CREATE DATABASE made_{product}; USE made_{product};" + PRODUCTS[product][1] + ";")
                for grant in re.findall(r"#\s+(GRANT .*;)", done.stdout):
                    server.sql(grant.replace("'chat'@'localhost'", "chat"))
                self.site.put(f"{product}.password", "secret\n")
                conf = self.site.conf.read_text()
                self.addCleanup(self.site.conf.write_text, conf)
                self.site.conf.write_text(re.sub(r"stores\s*[=:]\s*\{", lambda _: "stores = {\n" + done.stdout, conf, count=1))
                self.check_people(product, conf)

    def test_configuration_that_cannot_be_used(self):
        for product, text, told in (
                ("wordpress", "<?php define('DB_NAME', getenv('X'));", "DB_NAME is missing, or not a plain string"),
                ("wordpress", "<?php define('DB_NAME', 'a'); define('DB_HOST', 'b');", "$table_prefix is missing"),
                ("wordpress", "<?php define('DB_NAME', 'a\"b'); define('DB_HOST', 'b'); $table_prefix = 'x';", "characters"),
                ("mediawiki", "<?php $wgDBtype = 'sqlite'; $wgDBname = 'x';", "the database is sqlite"),
                ("other", "", "is not wordpress, mediawiki or phpbb")):
            with self.subTest(text=text):
                self.site.put("config.php", text)
                done = command("new-store", product, self.site.folder / "config.php")
                self.assertEqual((1, ""), (done.returncode, done.stdout))
                self.assertIn(told, done.stderr)

# SPDX-License-Identifier: MIT
"""The queries of conf/stores/ on the tables of the products: who is found, as what, and who is not."""
import contextlib
import json
import re
import sqlite3

from lib.case import FreshCase
from lib.product_tables import PRODUCTS
from lib.programs import SOURCE
from lib.responder import command
from lib.sql import MariaDB, PostgreSQL


class Recipes(FreshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = {"mysql": MariaDB("--skip-name-resolve"), "pgsql": PostgreSQL()}
        for server in cls.servers.values():
            cls.addClassCleanup(server.remove)

    @staticmethod
    def make_account(server, text):
        """The one that the comment of a group tells to make, word for word; PostgreSQL has it."""
        if server.plugin == "mysql":
            server.sql("DROP USER IF EXISTS 'chat'@'localhost', 'chat'@'127.0.0.1'")
        for statement in re.findall(r"#\s+((?:CREATE USER '|GRANT ).*;)", text):
            server.sql(statement.replace("'...'", "'secret'"))

    def adapt(self, product):
        """The recipe with our server in it, and its own account there."""
        text = (SOURCE / f"conf/stores/{product}.conf").read_text()
        server = self.servers[re.search(r'plugin = "(\w+)"', text)[1]]
        database = re.search(r'database = "(\w+)"', text)[1]
        if server.plugin == "mysql":
            server.sql(f"CREATE DATABASE {database}; USE {database};" + PRODUCTS[product].tables + ";")
        else:
            server.sql(PRODUCTS[product].tables + ";")
        self.make_account(server, text)
        if server.plugin == "pgsql":
            text = text.replace(f'database = "{database}"', f'port = {server.port}; database = "site"')
        text = re.sub(r"socket = .*", f'socket = "{server.socket}"', text)
        self.site.put(f"{product}.password", "secret\n")
        return text

    def check_people(self, product, conf):
        wanted = PRODUCTS[product]
        usual, admin = self.lookup(product, "1"), self.lookup(product, "2")
        self.assertIsInstance(usual, dict, usual)
        avatar = usual["avatarProfileUrl"]
        self.assertEqual((wanted.name, None), (usual["userName"], usual["role"]))
        text = (self.site.folder / f"{product}.conf").read_text()
        if avatar or "made_" not in text:  # a product's own file does not tell its address
            self.assertEqual(wanted.avatar, avatar)
        self.assertEqual((wanted.admin, wanted.other_avatar), (admin["role"], admin["avatarProfileUrl"]))
        for user in (*wanted.barred, "9", "1a", "1 OR 1=1"):
            answer = self.lookup(product, user)
            self.assertEqual(1, getattr(answer, "returncode", answer), (user, answer))
        self.site.conf.write_text(conf)

    def lookup(self, product, user):
        done = command("lookup", "-c", self.site.conf, "--", product, user)
        return json.loads(done.stdout) if done.returncode == 0 else done

    def test_who_is_found_and_as_what(self):
        for product in PRODUCTS:
            with self.subTest(product=product):
                self.use(product, self.adapt(product))

    def use(self, product, text):
        self.site.put(f"{product}.conf", text)
        conf = self.site.conf.read_text()
        self.addCleanup(self.site.conf.write_text, conf)
        self.site.conf.write_text(re.sub(r"stores\s*[=:]\s*\{", f'stores = {{\n@include "{product}.conf"\n', conf, count=1))
        self.check_people(product, conf)

    def use_on_sqlite(self, product, *changes):
        """The recipe for another database, as its comment says."""
        path = self.site.folder / f"{product}.sqlite"
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(PRODUCTS[product].tables)
        text = (SOURCE / f"conf/stores/{product}.conf").read_text().replace('plugin = "mysql"', 'plugin = "sqlite"')
        text = re.sub(r"    socket = .*", f'    path = "{path}"', text)
        text = re.sub(r"    (database|user|password_file) = .*\n", "", text)
        for change in changes:
            text = re.sub(*change, text)
        self.use(product, text)

    def use_on_postgresql(self, product, *changes, schema="public"):
        server = self.servers["pgsql"]
        tables = PRODUCTS[product].tables.replace("varbinary(14)", "timestamptz").replace("varbinary(255)", "text")
        tables = re.sub(r"'(\d{8})(\d{6})'", r"'\1 \2'", tables).replace("int unsigned", "bigint").replace("tinyint", "int")
        server.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path = {schema};" + tables.replace(" user ", ' "user" ') +
                   f"; GRANT USAGE ON SCHEMA {schema} TO chat; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO chat")
        text = (SOURCE / f"conf/stores/{product}.conf").read_text().replace('plugin = "mysql"', 'plugin = "pgsql"')
        text = re.sub(r"    socket = .*", f'    socket = "{server.socket}"; port = {server.port}', text)
        text = re.sub("    database = .*", '    database = "site"', text)
        for change in changes:
            text = re.sub(*change, text)
        self.site.put(f"{product}.password", "secret\n")
        self.use(product, text)

    def test_mediawiki_on_other_databases(self):
        now = r"DATE_FORMAT\(UTC_TIMESTAMP\(\), '[^']*'\)"
        self.use_on_sqlite("mediawiki", (now, "strftime('%Y%m%d%H%M%S')"))
        self.use_on_postgresql("mediawiki", (now, "now()"), ("(FROM|JOIN) (user_groups|ipblocks)", r"\1 mediawiki.\2"),
                               ("FROM user ", r'FROM mediawiki.\\"user\\" '), schema="mediawiki")

    def test_phpbb_on_other_databases(self):
        now = r"UNIX_TIMESTAMP\(\)"
        self.use_on_sqlite("phpbb", (now, "strftime('%s')"), (r"CONCAT\(('[^']*'), ([a-z_.]*)\)", r"\1 || \2"))
        self.use_on_postgresql("phpbb", (now, "extract(epoch FROM now())"))

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
                server.sql(f"CREATE DATABASE made_{product}; USE made_{product};" + PRODUCTS[product].tables + ";")
                self.make_account(server, done.stdout)
                self.site.put(f"{product}.password", "secret\n")
                self.use(product, done.stdout)

    def test_configuration_that_cannot_be_used(self):
        wordpress = "<?php define('DB_NAME', 'a'); define('DB_HOST', 'b'); $table_prefix = 'x_';"
        for product, text, told in (
                ("wordpress", "<?php\ndefine('DB_NAME', getenv('X'));", "config.php:2: DB_NAME is not a plain string"),
                ("wordpress", "<?php define('DB_HOST', 'b');", "DB_NAME is missing"),
                ("wordpress", "<?php define('DB_NAME', 'a'); define('DB_HOST', 'b');", "$table_prefix is missing"),
                ("wordpress", "<?php\nif ($x) define('DB_NAME', 'a');\nelse define('DB_NAME', 'b');",
                 "config.php:3: DB_NAME has several values"),
                ("wordpress", wordpress.replace("'a'", "'a\"b'"), "characters"),
                ("wordpress", wordpress.replace("'a'", "'a`b'"), "characters"),
                ("wordpress", wordpress.replace("'x_'", "'x_ UNION SELECT'"), "characters"),
                ("wordpress", wordpress.replace("'a'", "''"), "empty"),
                ("wordpress", wordpress + "\n\ndefine('CUSTOM_USER_TABLE', 'y');", "config.php:3: with CUSTOM_USER_TABLE"),
                ("mediawiki", "<?php $wgDBtype = 'sqlite'; $wgDBname = 'x';", "the database is sqlite"),
                ("mediawiki", "<?php $wgDBtype = 'mysql'; $wgDBname = 'x'; $wgSharedDB = 'y';", "with wgSharedDB"),
                ("mediawiki", "<?php $wgDBname = 'x'; $wgSharedDB = null; $wgDBservers = [['host' => 'y']];", "with wgDBservers"),
                ("mediawiki", "<?php $wgDBname = 'x';\n$wgDBtype = \"\u202ey\";", "config.php:2: $wgDBtype is too long, or"),
                ("mediawiki", "$wgDBname = 'x';", "$wgDBname is missing: it is not the LocalSettings.php of mediawiki, or"),
                ("mediawiki", wordpress, "$wgDBname is missing"),
                ("wordpress", "", "DB_NAME is missing: it is not the wp-config.php of wordpress, or"),
                ("wordpress", "".join(f"{c}\0" for c in wordpress), "not PHP, or in UTF-16"),
                ("wordpress", wordpress + "/" * (1 << 20), "more than 1048576 bytes"),
                ("wordpress", wordpress.replace("x_", "x" * 256), "config.php:1: $table_prefix is too long, or"),
                ("phpbb", "<?php $dbms = 'phpbb\\\\db\\\\driver\\\\postgres'; $dbname = 'x';", "postgres"),
                ("other", "", "is not wordpress, mediawiki or phpbb")):
            with self.subTest(text=text):
                self.site.put("config.php", text)
                done = command("new-store", product, self.site.folder / "config.php")
                self.assertEqual((1, ""), (done.returncode, done.stdout))
                self.assertIn(told, done.stderr)

    def test_where_the_server_is(self):
        usual = 'socket = "/run/mysqld/mysqld.sock"   # as on Debian; SELECT @@socket tells where it is'
        for host, port, told in (
                ("localhost", "", usual), ("", "", usual), ("LOCALHOST:3307", "", usual), ("p:", "3307", usual),
                ("localhost:3307:/a/b.sock", "", 'socket = "/a/b.sock"'), (":/a/b.sock", "", 'socket = "/a/b.sock"'),
                ("localhost:/a/b.sock", "", 'socket = "/a/b.sock"'), ("/a/b.sock", "", 'socket = "/a/b.sock"'),
                ("localhost", "/a/b.sock", 'socket = "/a/b.sock"'), ("p:db.example.com", "", 'hosts = [ "db.example.com" ]'),
                ("db.example.com:3307", "", 'hosts = [ "db.example.com" ]\n    port = 3307'),
                ("db.example.com", "3307", 'hosts = [ "db.example.com" ]\n    port = 3307'),
                ("[::1]:3307", "", 'hosts = [ "::1" ]\n    port = 3307'), ("fe80::1", "", 'hosts = [ "fe80::1" ]'),
                ("127.0.0.1", "", 'hosts = [ "127.0.0.1" ]')):
            with self.subTest(host=host, port=port):
                self.site.put("config.php", f"\ufeff<?php\r\n$dbhost = '{host}';\r\n$dbport = '{port}';\r\n$dbname = 'f-1';\r\n"
                                            "$table_prefix = \"a-\" . 'b_';\r\n")
                done = command("new-store", "phpbb", self.site.folder / "config.php", "forum")
                self.assertEqual((0, ""), (done.returncode, done.stderr))
                self.assertIn(f"    {told}\n", done.stdout)
                place = re.search('hosts = [^"]+"([^"]+)', told)
                account = f"'chat'@'{place[1] if place[1] in ('127.0.0.1', '::1') else '%'}'" if place else "'chat'@'localhost'"
                self.assertIn(f"GRANT SELECT (group_id, group_name) ON `f-1`.`a-b_groups` TO {account};", done.stdout)
                self.site.put("forum.conf", done.stdout)

    def test_what_a_file_includes_is_told(self):
        self.site.put("wp-config.php", "<?php\nrequire_once '/etc/wordpress/config-default.php';\n"
                                       "if (!defined('DB_NAME')) define('DB_NAME', 'w');\ndefine('DB_HOST', '');\n"
                                       "$table_prefix = 'wp_'; require_once ABSPATH . 'wp-settings.php';")
        done = command("new-store", "wordpress", self.site.folder / "wp-config.php")
        self.assertEqual(0, done.returncode)
        self.assertIn("wp-config.php:2: warning: includes another file", done.stderr)

    def test_versions_and_networks(self):
        (self.site.folder / "includes").mkdir()
        self.site.put("LocalSettings.php", "<?php $wgDBname = 'w'; $wgDBtype = 'mysql';")
        for version, table in (("1.39.17", "ipblocks"), ("1.42.0", "block_target"), ("2.0", "block_target")):
            self.site.put("includes/Defines.php", f"<?php define( 'MW_VERSION', '{version}' );")
            done = command("new-store", "mediawiki", self.site.folder / "LocalSettings.php")
            self.assertIn(f"`{table}`", done.stdout, version)
            self.assertEqual(table != "ipblocks", "u.user_is_temp = 0" in done.stdout, version)
            self.assertNotIn("before 1.42", done.stdout)
        for value, network in (("true", True), ("false", False), ("0", False)):
            self.site.put("wp-config.php", f"<?php define('MULTISITE', {value}); define('DB_NAME', 'w'); define('DB_HOST', '');"
                                           "$table_prefix = 'wp_';")
            done = command("new-store", "wordpress", self.site.folder / "wp-config.php")
            self.assertEqual(network, "u.spam = 0 AND u.deleted = 0" in done.stdout, value)
            self.assertEqual(network, "user_email, spam, deleted)" in done.stdout, value)

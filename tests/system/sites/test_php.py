# SPDX-License-Identifier: MIT
"""What new-store makes of a configuration in PHP is what PHP makes of it, or an error."""
import random
import re
import subprocess

from lib.case import FreshCase
from lib.responder import command

BEGINNING = """<?php function f() { return 'ff'; } function set(&$x) { $x = 'set'; }
$dbms = 'mysqli'; $table_prefix = 'p_'; $dbhost = 'h'; define('DB_HOST', 'h'); $dbname = 'z'; $y = 'yy';
"""
VALUES = ("'a'", '"b"', "3", "'a' . 'b'", "$y", "f()", "'c' . $y", "$dbname", "['e'][0]", "<<<E\nq\nE")
STATEMENTS = (
    "$dbname = {v};", "$dbname = {v};", "$y = {v};", "$GLOBALS['dbname'] = {v};", "$n = 'dbname'; $$n = {v};",
    "${{'dbname'}} = {v};", "[$dbname, $z] = [{v}, 1];", "list($z, $dbname) = [1, {v}];", "[[$y], $z] = [[{v}], 1];",
    "foreach (['p', 'q'] as $dbname) {{}}", "foreach ([['w']] as [$dbname]) ;", "extract(['dbname' => {v}]);",
    "eval('$dbname = 1;');", "$r = &$dbname;", "$r = {v};", "$dbname = &$y;", "$dbname .= 'k';", "$dbname ??= 'n';",
    "preg_match('/./', 'h', $m); $dbname = $m[0];", "set($dbname);", "(function () {{ $dbname = 'l'; return; }})();",
    "if (isset($dbname)) $dbname = {v};", "$dbname === 'a' && $dbname = {v};", "$s = \"$dbname = 'x'; {{$y}}\";",
    "define('DB_NAME', {v});", "define('DB_NAME', {v});", "defined('DB_NAME') or define('DB_NAME', {v});", "define('DB_' . 'NAME', {v});",
    "foreach (['DB_NAME' => {v}] as $k => $v) define($k, $v);", "array_map('define', ['DB_NAME'], [{v}]);",
    "define(\"\\x44B_NAME\", {v});", "eval('define(\"DB_NAME\", \"i\");');", "# $dbname = 'o'; ?> $dbname = 'o'; <?php ",
    "if (f()) return;", "if (!f()) {{ $dbname = {v}; return; }}", "function g{n}($dbname = 'd') {{ return; }}")


class AsPhpDoes(FreshCase):
    def setUp(self):
        super().setUp()
        self.random = random.Random(42)

    def statement(self, number):
        text = self.random.choice(STATEMENTS).format(v=self.random.choice(VALUES), n=number)
        kind = self.random.randrange(8)
        if kind == 0:
            return f"if ({self.random.randrange(2)}) {{ {text} }} else {{ $dbname = 'else'; }}"
        if kind == 1:
            return f"if ({self.random.randrange(2)}): {text} endif;"
        return text

    def test_no_value_that_php_does_not_have(self):
        known = 0
        for _ in range(60):
            text = BEGINNING + "\n".join(self.statement(number) for number in range(self.random.randrange(1, 4)))
            self.site.put("config.php", text)
            script = f"register_shutdown_function(function () {{ echo '|', defined('DB_NAME') ? DB_NAME : '', '|', $GLOBALS['dbname']; }}); " \
                f"include '{self.site.folder}/config.php';"
            told = subprocess.run(["php", "-d", "error_reporting=0", "-r", script], capture_output=True, text=True, check=False).stdout
            _, constant, variable = told.rsplit("|", 2)
            for product, right in (("wordpress", constant), ("phpbb", variable)):
                done = command("new-store", product, self.site.folder / "config.php")
                with self.subTest(text=text, product=product, right=right):
                    if done.returncode == 0 and right:
                        self.assertEqual(right, re.search(r'database = "(.*)"', done.stdout)[1])
                        known += 1
        self.assertGreater(known, 10)

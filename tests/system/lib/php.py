# SPDX-License-Identifier: MIT
"""Products written in PHP, installed and used through their own functions on a MariaDB of ours."""
import re
import subprocess
from pathlib import Path

from .programs import SOURCE, limit

SCRIPTS = SOURCE / "tests/system/sites"


def run_php(*arguments, text=""):
    """What the script printed; what it complained of fails the test."""
    done = subprocess.run(["php", "-d", "display_errors=stderr", "-d", "error_reporting=E_ALL&~E_DEPRECATED",
                           *map(str, arguments)], input=text, capture_output=True, text=True, timeout=limit(120), check=False)
    if done.returncode:
        raise AssertionError(f"php {arguments}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return done.stdout


class WordPress:
    """A site with its own wp-config.php, made of the sample as the installer makes it."""
    root = Path("/usr/share/wordpress")

    def __init__(self, folder, server, prefix="wp_"):
        self.config = folder / "wp-config.php"
        text = (self.root / "wp-config-sample.php").read_text()
        server.sql("CREATE DATABASE blog; CREATE USER blog IDENTIFIED BY 'blog\\'s own'; GRANT ALL ON blog.* TO blog;")
        for name, value in (("DB_NAME", "blog"), ("DB_USER", "blog"), ("DB_PASSWORD", "blog\\'s own"),
                            ("DB_HOST", f"localhost:{server.socket}")):
            text, count = re.subn(rf"define\( '{name}', '[^']*' \);", lambda _: f"define( '{name}', '{value}' );", text)
            assert count == 1, name
        self.config.write_text(text.replace("$table_prefix = 'wp_';", f"$table_prefix = '{prefix}';"))
        self.run("install")

    def run(self, verb, *arguments):
        return run_php(SCRIPTS / "wordpress.php", self.config, verb, *arguments).strip()

    def make_network(self):
        """Turns it into a multisite, with the lines that its network page says to add."""
        self.run("network")
        text = self.config.read_text()
        lines = "".join(f"define( '{name}', {value} );\n" for name, value in (
            ("MULTISITE", "true"), ("SUBDOMAIN_INSTALL", "false"), ("DOMAIN_CURRENT_SITE", "'localhost'"),
            ("PATH_CURRENT_SITE", "'/'"), ("SITE_ID_CURRENT_SITE", "1"), ("BLOG_ID_CURRENT_SITE", "1")))
        self.config.write_text(text.replace("/* That's all", lines + "/* That's all", 1))


class MediaWiki:
    root = Path("/usr/share/mediawiki/maintenance")

    def __init__(self, folder, server, prefix=""):
        self.config = folder / "LocalSettings.php"
        self.server, self.table = server, f"wiki.{prefix}user"
        run_php(self.root / "install.php", "--dbtype", "mysql", "--dbserver", f"localhost:{server.socket}",
                "--dbname", "wiki", "--dbprefix", prefix, "--installdbuser", "root", "--installdbpass", "",
                "--dbuser", "wiki", "--dbpass", "the wiki's own", "--confpath", folder, "--scriptpath", "/wiki",
                "--server", "http://localhost", "--pass", "long enough for it", "Wiki", "Admin")

    def run(self, script, *arguments, text=""):
        return run_php(self.root / f"{script}.php", "--conf", self.config, *arguments, text=text)

    def make_person(self, name, *groups):
        """The id: the wiki has people of its own, too."""
        self.run("createAndPromote", *groups, name, "long enough for it")
        return self.server.sql(f"SELECT user_id FROM {self.table} WHERE user_name = '{name}'").split()[1]

# SPDX-License-Identifier: MIT
"""Every command of README.md, read from there and run as it stands: as root, in namespaces of its own, in which /etc,
/usr/local and /var are layers that vanish, www.example.com is this machine, and nothing else can be reached.

A block or a command between backticks that neither is run nor has a reason for it here is a failure."""
import json
import os
import re
import shutil
import subprocess
import unittest

from lib.document import blocks, inline_commands
from lib.programs import SOURCE, limit
from lib.scratch import Scratch

README = (SOURCE / "README.md").read_text()

# What is not run here: the text by which the file, which runs it instead, shows that it does.
ELSEWHERE = {
    "./quickstart.sh": ("test.sh", "./quickstart.sh --once"),  # the block names test.sh, too: that is what runs this
    "./examples/chat/run.sh": ("tests/system/chat/test_page.py", "run.sh"),
    "./quickstart.sh --once && make -C build/quickstart kit": ("tests/system/lib/kit.py", '"kit"]'),
    "apt-get build-dep . && dpkg-buildpackage -us -uc -b": ("tests/packages/run.sh", "dpkg-buildpackage -us -uc -b"),
    "apt-get install ../memberchat_*.deb": ("tests/packages/run.sh", "dpkg -i"),
    "memberchat new-store wordpress /path/to/wp-config.php": ("tests/system/test_store_sql_recipes.py", '"new-store", "wordpress"'),
    "systemctl reload memberchat": ("conf/systemd/memberchat.service", "ExecReload="),  # systemd is process 1
    "make bench": ("test.sh", "bench-programs"),  # its figures say nothing beside other tests; that it builds, does
}
# Blocks that are not commands: how the first line begins.
SHOWN = ("client  <------", "appUserId,appUserName", "stores = {", "/usr/local/etc/memberchat/memberchat.conf:14:",
         'store = "members"', '{\n  "chatServerWebSocketUrl"', '{"errorCode"', '{\n  "iss"', "token = {", "status = {",
         "scrape_configs:")
PREPARE = r"""
mount -t tmpfs -o mode=755 tmpfs "$SCRATCH/layers"
for folder in etc usr/local var; do
    layer=$SCRATCH/layers/${folder/\//-}
    mkdir -p "$layer/upper" "$layer/work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$layer/upper,workdir=$layer/work" "/$folder"
done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 1777 /run/lock
ip link set lo up
echo "127.0.0.1 www.example.com" >>/etc/hosts
echo 'APT::Get::Upgrade "false";' >/etc/apt/apt.conf.d/99test # what is there will do: nothing can be downloaded
[ ! -d /usr/lib/ccache ] || PATH=/usr/lib/ccache:$PATH
PATH=/usr/local/bin:/usr/local/sbin:$PATH:/usr/sbin:/sbin
cd "$SCRATCH/memberchat"
"""
# The configuration of the README, with what new-app printed.
CONFIGURE = r"""
api_key=$(sed -n 's/.*api_key *= *"\([^"]*\)".*/\1/p' "$SCRATCH/new-app")
hash=$(sed -n 's/.*api_secret_sha256 *= *\[ *"\([0-9a-f]*\)".*/\1/p' "$SCRATCH/new-app")
secret=$(sed -n 's/^API secret: *//p' "$SCRATCH/new-app")
[ ${#hash} = 64 ] && [ -n "$api_key" ] && [ -n "$secret" ]
sed -e "s/my-app-ua9VwPegzicPpNLU/$api_key/" -e "s/[0-9a-f]\{64\}/$hash/" "$SCRATCH/README.conf" >memberchat.conf
"""
MISTAKE = r"""
sed 's/ store = / stor = /' memberchat.conf >mistaken.conf
! memberchat check -c mistaken.conf >"$SCRATCH/mistake" 2>&1
rm mistaken.conf
grep -q "$WANTED" "$SCRATCH/mistake"
"""
APACHE = r"""
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=www.example.com -addext subjectAltName=DNS:www.example.com \
    -keyout "$SCRATCH/key.pem" -out "$SCRATCH/cert.pem" 2>/dev/null
export CURL_CA_BUNDLE=$SCRATCH/cert.pem
cat >/etc/apache2/sites-enabled/000-default.conf <<EOF
ServerName www.example.com
<VirtualHost *:443>
    SSLEngine on
    SSLCertificateFile $SCRATCH/cert.pem
    SSLCertificateKeyFile $SCRATCH/key.pem
    Include $SCRATCH/memberchat/conf/apache/fcgid.conf
</VirtualHost>
EOF
a2enmod ssl >/dev/null
apache2ctl configtest 2>&1
"""
SELINUX = r"""
policy=$(echo /etc/selinux/default/policy/policy.*)
says() { # PATTERN COMMAND...: all of the output is read, for the command would mind if it were not
    pattern=$1
    shift
    "$@" 2>/dev/null | grep -E "$pattern" >/dev/null
}
[ "$(matchpathcon -n /usr/local/libexec/memberchat.fcgi)" = system_u:object_r:httpd_exec_t:s0 ]
says allow sesearch -A -s httpd_t -t httpd_exec_t -c file -p execute_no_trans "$policy" # CGI, FastCGI
says 'process httpd_t' sesearch -T -s init_t -t httpd_exec_t "$policy" # a service
says connectto sesearch -A -s httpd_t -t httpd_t -c unix_stream_socket -p accept "$policy"
says port_type sesearch -A -s httpd_t -c tcp_socket -p name_connect -b httpd_can_network_connect "$policy"
says '^httpd_can_network_connect +\(.*, *on *\)' semanage boolean --list
"""
APPARMOR = r"""
mkdir -p "$SCRATCH/apparmor" && (cd "$SCRATCH/apparmor" && dpkg -x "$PROFILES" . && cp -r etc/apparmor.d /etc)
"""


def first(block):
    return next((words for words in (*SHOWN, *ELSEWHERE) if block.startswith(words)), None)


class Reader:
    """Writes a script in the order of the README; each step is one that can be seen to pass."""

    def __init__(self):
        self.left = [block for block in blocks(README) if not first(block)]
        self.inline = [one for one in inline_commands(README) if one not in ELSEWHERE]
        self.parts, self.names = [], []

    def note(self, name, text):
        self.names.append(name)
        self.parts.append(f"echo '@@ {name}'\n{text}\n")

    def block(self, start, after="", **replaced):
        """The next block that begins with these words, with other words where the README has a stand-in."""
        found = next((one for one in self.left if one.startswith(start)), None)
        assert found, f"README.md has no block that begins with {start}"
        self.left.remove(found)
        self.note(start, self.put(found, replaced) + after)

    def command(self, text, after="", **replaced):
        assert text in self.inline, f"README.md does not say `{text}`"
        self.inline.remove(text)
        self.note(text, self.put(text, replaced) + "\n" + after)

    @staticmethod
    def put(text, replaced):
        for old, new in replaced.items():
            assert re.search(rf"\b{old}\b", text), f"there is no {old} in {text}"
            text = re.sub(rf"\b{old}\b", lambda _, new=new: new, text)
        return text


def follow(reader):
    """The README from top to bottom."""
    key = {"KEY": '"$api_key"', "SECRET": '"$secret"'}
    reader.block("apt-get install gcc")
    reader.block("cd /usr/local/etc/memberchat")
    reader.block("mkdir -p keys")
    reader.note("new-app", 'exec 4>&1 >"$SCRATCH/new-app"')
    reader.block("memberchat new-app my-app", 'exec >&4\n' + CONFIGURE)
    reader.block("chgrp -R www-data", after=MISTAKE)
    reader.block("semanage fcontext", after=SELINUX)
    reader.note("profiles of AppArmor", APPARMOR)
    # The kernel of the tests need not have AppArmor, so the profile is compiled and not loaded.
    reader.block("echo '/usr/local/libexec/memberchat.fcgi Ux,'", apparmor_parser="apparmor_parser -QK")
    reader.command("apt-get install libapache2-mod-fcgid")
    reader.command("a2enmod fcgid alias", APACHE)
    reader.note("start Apache", "apache2ctl start")
    reader.block("curl -u my-app-ua9VwPegzicPpNLU:SECRET", SECRET='"$secret"',
                 **{"my-app-ua9VwPegzicPpNLU": '"$api_key"'})
    reader.block("curl -u KEY:SECRET -H", **key)
    reader.block("curl -u KEY:SECRET -d", **key)
    reader.block("memberchat doctor --user www-data")
    reader.note("status = {", 'install -d -o www-data /run/memberchat\nsed -i "1i $STATUS" memberchat.conf')
    reader.command("memberchat check --online")
    reader.command("memberchat lookup crm ID", crm="members", ID="2")
    reader.note("PID", "pid=$(grep -ho 'memberchat\\[[0-9]*\\]' /var/log/apache2/error.log | tail -n 1 | tr -dc 0-9)")
    reader.block("memberchat check --as www-data && kill", PID='"$pid"', after=r"""
for _ in {1..100}; do grep -q 'memberchat.conf: loaded' /var/log/apache2/error.log && break; sleep 0.1; done
grep -q 'memberchat.conf: loaded' /var/log/apache2/error.log""")
    reader.command("memberchat status")
    reader.note("pages of the figures", "for page in status metrics; do\n"
                                        "curl -fsS -o /dev/null https://www.example.com/chat-api/$page\ndone")
    reader.note("members", 'printf "#!/bin/sh\\ncat members.example.csv\\n" >/usr/local/bin/export-members\n'
                           'chmod 755 /usr/local/bin/export-members')
    reader.block("export-members")
    reader.command("memberchat index members.csv", "[ -s members.cdb ]")
    reader.command("memberchat index", "! memberchat index", index="index --help")
    reader.block("memberchat keygen ES256")
    reader.note("token = {", 'sed -i "s|token = {.*|$TOKEN|" memberchat.conf && memberchat check --as www-data')
    reader.command("a2enmod proxy proxy_fcgi env", "apache2ctl configtest 2>&1")
    reader.command("a2enmod cgi alias env", "apache2ctl configtest 2>&1")
    reader.note("start nginx", "apache2ctl stop; mkdir -p /run/memberchat /var/log/nginx\n"
                               "for _ in {1..100}; do [ -e /run/apache2/apache2.pid ] || break; sleep 0.1; done\n"
                               'mount=$SCRATCH/memberchat/conf/nginx/memberchat.conf\n'
                               'printf "server {\\nlisten 81;\\ninclude %s;\\n}\\n" "$mount" '
                               ">/etc/nginx/sites-enabled/default\nnginx -t && nginx")
    reader.command("nginx -s reload")
    reader.command("man memberchat.fcgi")
    reader.note("cd", 'cd "$SCRATCH/memberchat"')
    reader.command("man ./man/memberchat.conf.5")


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = Scratch()
        cls.addClassCleanup(cls.scratch.close)
        cls.reader = Reader()
        follow(cls.reader)
        folder = cls.scratch.path
        folder.chmod(0o755)
        (folder / "memberchat").mkdir()
        (folder / "layers").mkdir()
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=SOURCE, stdout=subprocess.PIPE, check=True).stdout
        for name in filter(None, listing.decode().split("\0")):
            if (SOURCE / name).is_file():
                target = folder / "memberchat" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(SOURCE / name, target)
        (folder / "README.conf").write_text(next(one for one in blocks(README) if "apps = {" in one))
        script = ["set -eEuo pipefail\n", PREPARE, *cls.reader.parts, "echo '@@ the end'\n"]
        (folder / "script").write_text("".join(script))
        environment = {**os.environ, "SCRATCH": str(folder), "MAKEFLAGS": f"-j{os.cpu_count()}", "MANPAGER": "cat",
                       "CCACHE_BASEDIR": str(folder), "CCACHE_NOHASHDIR": "1",
                       "DEBIAN_FRONTEND": "noninteractive", "PROFILES": cls.profiles(folder),
                       "WANTED": next(one for one in blocks(README) if "unknown key" in one).split(": ", 1)[1].strip(),
                       "STATUS": next(one for one in blocks(README) if one.startswith("status = {")).strip(),
                       "TOKEN": next(one for one in blocks(README) if one.startswith("token = {")).strip()}
        done = subprocess.run(["unshare", "-m", "-n", "-p", "--fork", "--kill-child", "--mount-proc",
                               "bash", folder / "script"], env=environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=limit(550))
        cls.status, cls.output = done.returncode, done.stdout

    @staticmethod
    def profiles(folder):
        """The package that has the profile of Apache."""
        subprocess.run(["apt-get", "-qq", "download", "libapache2-mod-apparmor"], cwd=folder, check=True,
                       capture_output=True)
        return str(next(folder.glob("libapache2-mod-apparmor*.deb")))

    def said(self, name):
        return self.output.split(f"@@ {name}\n")[1].split("\n@@ ")[0]

    def test_every_step_went_well(self):
        last = self.output.rsplit("@@ ", 1)[-1].splitlines()[0]
        self.assertEqual(("the end", 0), (last, self.status), self.output[-3000:])

    def test_tokens_are_what_the_readme_shows(self):
        for name, user in (("curl -u my-app", "2"), ("curl -u KEY:SECRET -d", "2"),
                           ("curl -u KEY:SECRET -H", "guest_7f3a")):
            start = next(one for one in self.reader.names if one.startswith(name))
            answer = json.loads(re.search(r'\{"chatServer.*\}', self.said(start)).group(0))
            self.assertEqual(("my-app", user), (answer["appId"], answer["userId"]))

    def test_doctor_finds_nothing_to_mend(self):
        self.assertNotIn("error", self.said("memberchat doctor --user www-data").lower())

    def test_members_are_the_example(self):
        shown = next(one for one in blocks(README) if one.startswith("appUserId,appUserName"))
        example = (SOURCE / "conf/members.example.csv").read_text()
        self.assertEqual([], [line for line in shown.splitlines() if line not in example])

    def test_no_command_is_left_out(self):
        self.assertEqual(([], []), (self.reader.left, self.reader.inline))

    def test_what_is_run_elsewhere(self):
        for words, (name, proof) in ELSEWHERE.items():
            with self.subTest(words=words):
                self.assertIn(words, README)
                self.assertIn(proof, (SOURCE / name).read_text())

# SPDX-License-Identifier: MIT
"""One process a request: memberchat as CGI beside a bare C program and beside php-cgi."""
import dataclasses
import os
import shutil
import statistics
import subprocess

import fixtures
import process
import resident

FEW = 10


@dataclasses.dataclass
class Case:
    name: str
    folder: str
    wall: list = dataclasses.field(default_factory=list)
    cpu: list = dataclasses.field(default_factory=list)

    def median(self, what):
        return statistics.median(getattr(self, what))


def environment(path, body, extra):
    """What a web server hands over (RFC 3875, section 4.1)."""
    return {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "bench", "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "POST", "REQUEST_URI": f"/chat-api{path}", "QUERY_STRING": "",
        "SCRIPT_NAME": "/chat-api", "PATH_INFO": path, "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)), "HTTP_HOST": "localhost", "HTTP_ACCEPT": "*/*",
        "HTTP_AUTHORIZATION": fixtures.authorization(0), "PATH": "/usr/bin:/bin", **extra,
    }


class Bench:
    def __init__(self, area, programs):
        self.area, self.programs = area, programs
        self.cases = []
        area.write("key", fixtures.KEY)

    def add(self, name, program, variables, body=""):
        folder = self.area.make_folder(f"case{len(self.cases)}")
        with open(os.path.join(folder, "program"), "w", encoding="utf-8") as file:
            file.write(program)
        with open(os.path.join(folder, "environ"), "w", encoding="utf-8") as file:
            file.write("".join(f"{key}={value}\n" for key, value in variables.items()))
        with open(os.path.join(folder, "stdin"), "w", encoding="utf-8") as file:
            file.write(body)
        self.cases.append(Case(name, folder))

    def add_memberchat(self, name, path, members, body="", program=None, before=""):
        config = self.area.write(f"{os.path.basename(members)}-{len(self.cases)}.conf",
                                 fixtures.memberchat_config(members, before=before))
        self.add(name, program or self.programs.cgi, environment(path, body, {
            "MEMBERCHAT_CONF": config, "MEMBERCHAT_PLUGIN_DIR": self.programs.plugins}), body)

    def add_kit(self, name, path, members, body=""):
        """The kit's program, which finds its kit from where it stands; libraries to take over with are not there."""
        kit = os.path.join(self.programs.build, "kit")
        if os.path.isdir(kit):
            home = self.area.make_folder(f"kit{len(self.cases)}")
            shutil.copytree(kit, home, ignore=shutil.ignore_patterns("lib"), dirs_exist_ok=True)
            self.area.write(os.path.join(home, "memberchat", "memberchat.conf"), fixtures.memberchat_config(members))
            self.area.write(os.path.join(home, "memberchat", "key"), fixtures.KEY)
            self.add(name, os.path.join(home, "chat-api", "memberchat.cgi"), environment(path, body, {}), body)

    def add_php(self, name, settings, members):
        """The same API in PHP; SETTINGS replace those of the machine (None: they stay)."""
        folder = self.area.make_folder(f"ini{len(self.cases)}")
        config = os.path.join(folder, "config.php")
        with open(config, "w", encoding="utf-8") as file:
            file.write(fixtures.php_config([members]))
        own = {}
        if settings is not None:
            own = {"PHPRC": folder, "PHP_INI_SCAN_DIR": ""}
            with open(os.path.join(folder, "php.ini"), "w", encoding="utf-8") as file:
                file.write(settings)
        body = fixtures.guest_body(1)
        script = self.programs.source("peers", "api.php")
        program = process.find_program("php-cgi")
        self.add(name, program, environment(fixtures.GUEST_PATH, body, {
            "REDIRECT_STATUS": "200", "SCRIPT_FILENAME": script, "BENCH_PHP_CONFIG": config,
            **own}), body)

    def answer_of(self, case):
        """Runs a case once; its answer, after a look at it."""
        variables = {}
        with open(os.path.join(case.folder, "environ"), encoding="utf-8") as file:
            for line in file:
                key, _, value = line.rstrip("\n").partition("=")
                variables[key] = value
        with open(os.path.join(case.folder, "program"), encoding="utf-8") as file:
            program = file.read()
        with open(os.path.join(case.folder, "stdin"), encoding="utf-8") as stdin:
            done = subprocess.run([program], env=variables, stdin=stdin, capture_output=True,
                                  check=False)
        good = b"chatToken" in done.stdout or case.name == "hello"
        if done.returncode != 0 or not good:
            process.die(f"CGI, {case.name}: status {done.returncode}\n"
                        f"{done.stdout.decode()}{done.stderr.decode()}")
        return done.stdout

    def run(self, rounds):
        command = [self.programs.peer("spawn"), str(rounds), *(case.folder for case in self.cases)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for line in output.splitlines():
            number, wall, cpu, size, status = map(int, line.split())
            case = self.cases[number]
            if status != 0 or size == 0:
                process.die(f"CGI, {case.name}: a run ended with status {status}, {size} bytes")
            case.wall.append(wall)
            case.cpu.append(cpu)


def compile_members(programs, source, target):
    """Whether this memberchat can: `memberchat index`."""
    done = subprocess.run([programs.command, "index", source, target], capture_output=True,
                          check=False)
    return done.returncode == 0 and os.path.exists(target)


def add_cases(bench, area, programs, say):
    few, some = area.path("few.csv"), area.path("some.csv")
    fixtures.write_csv(few, FEW)
    fixtures.write_csv(some, resident.SOME)
    body = fixtures.guest_body(1)
    bench.add_memberchat("guest", fixtures.GUEST_PATH, few, body)
    bench.add_memberchat("member of 10, CSV", fixtures.member_path(7), few)
    bench.add_memberchat("member of 10^3, CSV", fixtures.member_path(777), some)
    bench.add_kit("kit: guest", fixtures.GUEST_PATH, few, body)
    bench.add_kit("kit: member of 10^3, CSV", fixtures.member_path(777), some)
    if compile_members(programs, few, area.path("few.cdb")):
        many = area.path("many.csv")
        say(f"making {resident.MANY} members")
        fixtures.write_csv(many, resident.MANY)
        compile_members(programs, many, area.path("many.cdb"))
        bench.add_memberchat("member of 10, cdb", fixtures.member_path(7), area.path("few.cdb"))
        bench.add_memberchat("member of 10^6, cdb", fixtures.member_path(777777),
                             area.path("many.cdb"))
        bench.add_kit("kit: member of 10^6, cdb", fixtures.member_path(777777), area.path("many.cdb"))
    bench.add_memberchat("guest, memberchat.fcgi", fixtures.GUEST_PATH, few, body, programs.responder)
    size = len(bench.answer_of(bench.cases[0]))
    bench.add("hello", programs.peer("hello_cgi"), {"HELLO_LENGTH": str(size)})


def measure(area, programs, rounds, say):
    """All cases by name.  php-cgi takes fewer turns: it is far away from the others."""
    bench = Bench(area, programs)
    add_cases(bench, area, programs, say)
    for case in bench.cases:
        bench.answer_of(case)
    bench.run(5)
    for case in bench.cases:
        case.wall.clear()
        case.cpu.clear()
    say(f"{rounds} rounds of {len(bench.cases)} processes")
    bench.run(rounds)
    slow = Bench(area, programs)
    slow.cases = [case for case in bench.cases if case.name in ("guest", "hello")]
    area.write("members.php", fixtures.php_members(FEW))
    cache = area.make_folder("opcache")
    slow.add_php("php-cgi", None, area.path("members.php"))
    slow.add_php("php-cgi, no modules", "", area.path("members.php"))
    slow.add_php("php-cgi, file_cache", "zend_extension=opcache.so\nopcache.enable=1\n"
                 f"opcache.file_cache_only=1\nopcache.file_cache={cache}\n",
                 area.path("members.php"))
    for case in slow.cases[2:]:
        slow.answer_of(case)
    say(f"{max(10, rounds // 5)} rounds with php-cgi")
    slow.run(max(10, rounds // 5))
    return {case.name: case for case in bench.cases + slow.cases}

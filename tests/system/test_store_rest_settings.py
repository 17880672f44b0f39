# SPDX-License-Identifier: MIT
"""What a REST store's settings may be, and that the sample ones work."""
from lib.answer import basic
from lib.case import FreshCase
from lib.certificates import Authority
from lib.responder import command
from lib.servers import read_mount
from lib.site import APP
from lib.upstream import NginxService, RestCase

OAUTH2 = {"token_url": "https://sso.example.com/token", "client_id": "c", "client_secret_file": "token"}
WRONG = (
    ({"url": None}, r'url: is missing'),
    ({"url": "crm.example.com/{id}"}, "must be a URL with"),
    # libcurl would take the id for the host, and send it our credentials
    ({"url": "https:/{id}"}, "must be a URL with"),
    ({"url": "https:///{id}"}, "must be a URL with"),
    ({"url": "https:/x://y/{id}"}, "must be a URL with"),
    ({"url": "https:{id}"}, "must be a URL with|placeholder in its host"),
    ({"url": "https://x:99999/{id}"}, "a valid port"),
    ({"url": "file:///members/{id}"}, "must be a URL with"),
    ({"url": "ftp://crm.example.com/{id}"}, "must be a URL with"),
    ({"url": "http://crm.example.com/{id}"}, "in clear text"),
    ({"url": "https://me:pw@crm.example.com/{id}"}, "must not hold credentials"),
    ({"url": "https://{id}.example.com/"}, "placeholder in its host"),
    ({"url": "https://crm.example.com/"}, r"needs \{id\}"),
    ({"url": "https://crm.example.com/", "method": "POST", "body": "{}"}, r'url: needs \{id\}, or "body" does'),
    ({"url": "https://crm.example.com/{user}"}, "and no other braces"),
    ({"url": "https://crm.example.com/a b{id}"}, "holds a blank"),
    ({"url": "https://crm.example.com/#{id}"}, "fragment"),
    ({"method": "PUT"}, "it must be one of: GET POST"),
    ({"method": "POST"}, 'needs a "body"'),
    ({"body": '"{id}"'}, 'needs the "method" POST'),
    ({"method": "POST", "body": '{"id": {id}}'}, "must be JSON"),
    ({"method": "POST", "body": "id={id}"}, "must be JSON"),
    ({"headers": ["no colon"]}, "members.headers: entry 1 is not"),
    ({"headers": ["A: b", "C: d\nE: f"]}, "members.headers: entry 2 is not"),
    ({"headers": [": b"]}, "members.headers: entry 1 is not"),
    ({"headers": ["A: "]}, "members.headers: entry 1 is not"),
    ({"headers": ["A: b\x7f"]}, "members.headers: entry 1 is not"),
    ({"headers": ["Host: x"]}, "must not set Host"),
    ({"headers": ["content-length: 5"]}, "must not set Content-Length"),
    ({"headers": ["Authorization: x"], "bearer_token_file": "token"}, "sets Authorization, too"),
    ({"username": "me"}, r"members\.username: needs \"password_file\""),
    ({"password_file": "token"}, r"members\.password_file: needs \"username\""),
    ({"username": "me", "password_file": "token", "bearer_token_file": "token"}, r"members\.bearer_token_file: \"username\" is set, too"),
    ({"username": "a:b", "password_file": "token"}, "colon"),
    ({"oauth2": {**OAUTH2, "token_url": "http://sso.example.com/"}}, "in clear text"),
    ({"oauth2": {**OAUTH2, "token_url": "sso"}}, "token_url must be a URL"),
    ({"oauth2": {**OAUTH2, "token_url": "https://me:pw@sso.example.com"}}, "must not hold credentials"),
    ({"oauth2": {**OAUTH2, "secret": "x"}}, r"members\.oauth2: has no setting \"secret\""),
    ({"oauth2": {"token_url": "https://x/", "client_id": "c", "scope": "s"}}, "needs \"client_secret_file\""),
    ({"oauth2": {**OAUTH2, "client_id": ""}}, "needs \"client_id\""),
    ({"oauth2": {**OAUTH2, "client_secret_file": "nothing"}}, r"members\.oauth2: .*nothing cannot be read"),
    ({"oauth2": OAUTH2, "bearer_token_file": "token"}, r"members\.oauth2: \"bearer_token_file\" is set, too"),
    ({"oauth2": OAUTH2, "headers": ["X-Ours: x", "Authorization: x"]}, "sets Authorization, too"),
    ({"oauth2": OAUTH2, "username": "me", "password_file": "token"}, r"members\.oauth2: \"username\" is set, too"),
    ({"username": "me", "password_file": "token", "headers": ["authorization: x"]}, "sets Authorization, too"),
    ({"bearer_token_file": "nothing"}, r"members\.bearer_token_file: .*nothing cannot be read"),
    ({"key_file": "token"}, 'needs "cert_file"'),
    ({"ca_file": "token"}, r"members\.ca_file: .*holds no certificate"),
    ({"cert_file": "token"}, r"members\.cert_file: .*holds no certificate"),
    ({"cert_file": "cert"}, r"members\.cert_file: .*cert holds no private key"),
    ({"cert_file": "cert", "key_file": "token"}, r"members\.key_file: .*token holds no private key"),
    ({"url": "http://127.0.0.1/{id}", "ca_file": "token"}, "with https only"),
    ({"url": "http://127.0.0.1/{id}", "cert_file": "token"}, "with https only"),
    ({"proxy": "socks5://x"}, "proxy"),
    ({"proxy": "x y"}, "proxy"),
    ({"id_pointer": "appUserId"}, "is not a JSON Pointer"),
    ({"name_pointer": "/a~2"}, "is not a JSON Pointer"),
    ({"avatar_pointer": "a"}, "is not a JSON Pointer"),
    ({"role_pointer": "a"}, "is not a JSON Pointer"),
    ({"state_pointer": "a"}, "is not a JSON Pointer"),
    ({"member": {"name": "{nick}"}}, r"\{nick\} has no pointer: add it to \"attributes\""),
    ({"attributes": {"mail": "mail", "nick": "/nick"}}, "\"mail\" is not a JSON Pointer"),
    ({"member_pointer": "data"}, "is not a JSON Pointer"),
    ({"not_found_when": {"pointer": "/a"}}, "has 1 entry; it must have 2"),
    ({"not_found_when": {"pointer": "/a", "values": "x"}}, "has no setting \"values\""),
    ({"not_found_when": {"pointer": "a", "value": "x"}}, "is not a JSON Pointer"),
    ({"not_found_when": {"pointer": "", "value": "x"}}, "needs a \"pointer\" and a \"value\""),
    ({"not_found_when": {"pointer": "/a", "value": ""}}, "needs a \"pointer\" and a \"value\""),
    ({"not_found_statuses": [200]}, "cannot mean that"),
    ({"not_found_statuses": ["500"]}, "cannot mean that"),
    ({"not_found_statuses": [429]}, "cannot mean that"),
    ({"not_found_statuses": ["4x4"]}, "cannot mean that"),
    ({"not_found_statuses": ["404x"]}, "cannot mean that"),
    ({"not_found_statuses": ["4040"]}, "cannot mean that"),
    ({"not_found_statuses": [401]}, "cannot mean that"),
    ({"connections": 0}, "1 to 1024"),
    ({"max_body": "1G"}, 'it must be "1" to "16M"'),
    ({"http_version": "3"}, "it must be one of: 1.1 2"),
    ({"tls_verfy": False}, "tls_verify"),
)


class WrongSettings(FreshCase):
    """Each of them is told with its line, and nothing starts."""

    def test_all(self):
        url = "https://crm.example.com/members/{id}"
        self.site.put("token", "t", 0o600)
        self.site.put("cert", "-----BEGIN CERTIFICATE-----\n")
        for keys, words in WRONG:
            store = {"plugin": "rest", "url": url, **keys}
            self.site.settings["stores"] = {"members": {k: v for k, v in store.items() if v is not None}}
            self.site.write()
            done = command("-c", self.site.conf, "check")
            self.assertEqual(1, done.returncode, keys)
            self.assertRegex(done.stderr, r"memberchat\.conf:\d+: .*" + words)

    def test_good_ones(self):
        self.site.put("token", "t", 0o600)
        for keys in ({"url": "https://[::1]/{id}"}, {"url": "http://localhost:1/{id}"},
                     {"url": "http://[::1]:1/{id}?a={appId}"}, {"url": "http://127.0.0.1/?q={id}"},
                     {"url": "http://crm/{id}", "allow_http": True},
                     {"url": "https://x/", "method": "POST", "body": '{"a": [{"b": "x{id}y"}]}'},
                     {"url": "https://x/{id}", "not_found_statuses": [204, 400, 403, 422]},
                     {"url": "https://x/{id}", "not_found_statuses": ["400"]},
                     {"url": "https://x/{id}", "id_pointer": "", "name_pointer": "/a~0b/~1c/0"}):
            self.site.settings["stores"] = {"members": {"plugin": "rest", **keys}}
            self.site.write()
            done = command("-c", self.site.conf, "check")
            self.assertEqual(0, done.returncode, (keys, done.stderr))
            self.assertNotIn("memberchat.conf:", done.stderr, keys)

    def test_key_that_anyone_can_read(self):
        self.site.settings["stores"] = {"members": {"plugin": "rest", "url": "https://x/{id}", "cert_file": "some.pem",
                                                    "key_file": "some.key"}}
        self.site.write()
        self.site.put("some.pem", "-----BEGIN CERTIFICATE-----\n")
        for mode, warnings in ((0o640, 0), (0o644, 1)):
            self.site.put("some.key", "-----BEGIN PRIVATE KEY-----\n", mode)
            done = command("-c", self.site.conf, "check")
            self.assertEqual((0, warnings), (done.returncode, done.stderr.count("any user of this machine can read")),
                             done.stderr)

    def test_verification_off_is_told(self):
        self.site.settings["stores"] = {"members": {"plugin": "rest", "url": "https://x/{id}", "tls_verify": False}}
        self.site.write()
        self.assertIn('"tls_verify" is off', command("-c", self.site.conf, "check").stderr)
        self.start().expect_log('"tls_verify" is off')


class Samples(RestCase):
    """The files in conf/stores work once they are corrected as they say."""

    def include(self, name, store, replacements):
        self.site.put(name, read_mount(f"stores/{name}", replacements))
        self.site.settings["stores"] = {}
        self.site.write({"apps": {APP: {"store": store}}})
        text = self.site.conf.read_text()
        self.assertIn("stores = {\n}", text)
        self.site.put("memberchat.conf", text.replace("stores = {\n}", f'stores = {{\n@include "{name}"\n}}'))
        done = command("-c", self.site.conf, "check", "--online")
        self.assertEqual(0, done.returncode, done.stderr + done.stdout)
        self.responder = self.start()

    def test_member_api(self):
        service = NginxService(self.scratch)
        (service.root / "v2/apps/me").mkdir(parents=True)
        service.process.stop()
        service.conf.write_text(service.conf.read_text().replace("/members/", "/v2/apps/me/members/"))
        service.start()
        self.site.put("members.password", "secret\n", 0o600)
        self.include("rest-member-api.conf", "members-api", {"https://members.example.com": service.url})
        self.expect("1", 200)
        self.expect("2", 200)
        self.expect("3", 404)
        self.expect("nobody", 404)
        self.assertEqual({basic("memberchat", "secret")}, {request[4] for request in service.requests()})
        service.put("9", {"appUserId": "9", "appUserName": "no state"})
        self.expect("9", 500)

    def test_user_api(self):
        ca, clients = Authority(self.scratch.path, "ca"), Authority(self.scratch.path, "clients")
        certificate, key = ca.issue()
        answer = ('{"data":[{"id":42,"profile":{"displayName":"Ann Smith","photos":[{"url":"https://img/42.jpg"}]},'
                  '"roles":["moderator"],"enabled":true,"email":"ann@example.com"}]}')
        service = NginxService(self.scratch, listen="ssl", locations=f"""
            ssl_certificate {certificate};
            ssl_certificate_key {key};
            ssl_client_certificate {clients.certificate};
            ssl_verify_client on;
            location = /api/users/find {{ return 200 '{answer}'; }}""")
        ours, our_key = clients.issue("memberchat", "DNS:memberchat")
        for name, path in (("users-ca.pem", ca.certificate), ("memberchat.pem", ours), ("memberchat.key", our_key)):
            self.site.put(name, path.read_bytes())
        self.include("rest-user-api.conf", "users-api",
                     {"https://users.example.com": f"https://127.0.0.1:{service.port}"})
        self.site.check(self.ask("42"), user="42", name="Ann Smith", avatar="https://img/42.jpg", role="moderator")
        done = command("-c", self.site.conf, "lookup", "users-api", "42")
        self.assertIn('"email": "ann@example.com"', done.stdout)
        self.assertEqual({"POST"}, {request[1] for request in service.requests()})

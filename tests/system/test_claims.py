# SPDX-License-Identifier: MIT
"""Claims templates: the ready-made ones, and what a token of one is like."""
import hashlib
import json
import shutil

from lib.case import FreshCase
from lib.keys import encoded, keygen, pyjwt_verify, read_jwk
from lib.programs import SOURCE
from lib.responder import command
from lib.site import APP, GUEST_PATH, member_path
from lib.tokens import unpadded, verify

TEMPLATES = {path.stem for path in (SOURCE / "conf" / "claims").glob("*.json") if not path.stem.endswith(".server")}
NAMES = {"rabbitmq", "ejabberd", "centrifugo", "mercure", "jitsi", "socketio"}


def parts_of(token):
    return [json.loads(unpadded(part)) for part in token.split(".")[:2]]


class ClaimsCase(FreshCase):
    def use(self, template):
        text = template if isinstance(template, str) else json.dumps(template)
        self.site.put("claims.json", text)
        self.site.change_app(token={"claims": "claims.json"})

    def claims(self, answer):
        self.assertEqual(200, answer.status, answer.body)
        return verify(answer.json["chatToken"], self.site.signing_key())[1]

    def member(self, user="1"):
        return self.responder.post(member_path(user), self.site.auth())

    def guest(self, **fields):
        return self.responder.post(GUEST_PATH, self.site.auth(), json.dumps(fields).encode(),
                                   extra={"CONTENT_TYPE": "application/json"})


class ReadyMade(ClaimsCase):
    def test_all_are_good(self):
        self.assertEqual(NAMES, TEMPLATES)
        for name in sorted(NAMES):
            with self.subTest(template=name):
                shutil.copy(SOURCE / "conf" / "claims" / f"{name}.json", self.site.folder / "claims.json")
                self.site.change_app(guest_id_prefix="guest_", token={"claims": "claims.json"})
                done = command("check", "-c", self.site.conf)
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertNotIn("claims: warning", done.stderr)
                for who in (("--member", "64d0c5f2a1b2c3d4e5f60718"), ("--guest", "--id", "g1")):
                    done = command("token", "-c", self.site.conf, APP, *who)
                    self.assertEqual(0, done.returncode, done.stderr)
                    header, claims = parts_of(json.loads(done.stdout)["chatToken"])
                    self.assertEqual("HS256", header["alg"])
                    self.assertTrue(all(isinstance(claims[k], int) for k in ("exp", "iat", "nbf")))
                    self.assertNotIn("{", json.dumps(list(claims.values())).replace('{"', "").replace("{room}", ""))
                    self.assertNotIn("null", json.dumps(claims))

    def test_rabbitmq(self):
        self.use((SOURCE / "conf" / "claims" / "rabbitmq.json").read_text())
        self.responder = self.start()
        scope = self.claims(self.guest(appUserId="g1"))["scope"]
        self.assertIn(f"{APP}.read:%2F/amq.topic/dm.g1", scope)
        self.assertEqual(500, self.member("zo%C3%AB").status)  # an id that could widen the grant
        self.responder.expect_log(r"\{userId\|id\}")


class Templates(ClaimsCase):
    def test_everything(self):
        self.site.put("members.csv", "appUserId,appUserName,appUserProfileImgUrl,room\n"
                                     "1,foobar1,https://img.foobar.com/1.jpg,Lobby\n2,foobar2,,\n")
        self.use({"header": {"typ": "at+jwt", "cty": "x"}, "aud": ["a", "{appId}"], "picture": None, "nbf": None,
                  "until": "{exp}", "who": "{userId}/{role}", "room": "{attr.room|lower|=none}",
                  "nested": {"list": ["{attr.nothing}", "{userName}", 1, None], "avatar": "{avatarProfileUrl}"},
                  "text": '{"n":{userName|json}}', "scope": "in.{userId|id}"})
        self.responder = self.start()
        answer = self.member()
        claims = self.claims(answer)
        self.assertEqual({"alg": "HS256", "typ": "at+jwt", "kid": "k1", "cty": "x"},
                         parts_of(answer.json["chatToken"])[0])
        self.assertEqual((["a", APP], claims["exp"], "1/member", "in.1"),
                         (claims["aud"], claims["until"], claims["who"], claims["scope"]))
        self.assertEqual(["foobar1", 1, None], claims["nested"]["list"])
        self.assertEqual({"n": "foobar1"}, json.loads(claims["text"]))
        self.assertFalse({"picture", "nbf", "header"} & claims.keys())
        self.assertEqual("lobby", claims["room"])
        self.assertEqual("none", self.claims(self.member("2"))["room"])
        self.assertNotIn("avatar", self.claims(self.member("2"))["nested"])
        # and renewal still knows its own
        first = self.guest(appUserId="g1").json["chatToken"]
        self.assertEqual("g1", self.guest(accessToken=first).json["userId"])

    def test_names_cannot_break_out(self):
        self.use({"t": "x{userName}y", "u": "{userName}", "v": "{userName|uri}", "w": "{userName|json}"})
        self.responder = self.start()
        for name in ('","exp":9999999999,"x":"', "\\", '\\"', "\u2028{userId}", '{"a":1}', "}", "é\U0001f600"):
            with self.subTest(name=name):
                claims = self.claims(self.guest(appUserId="g1", appUserName=name))
                self.assertEqual((f"x{name}y", name, name),
                                 (claims["t"], claims["u"], json.loads(claims["w"])))

    def test_a_guest_that_cannot_be_put_in(self):
        self.use({"scope": "name.{userName|id}"})
        self.responder = self.start()
        answer = self.guest(appUserName="a b")
        self.assertEqual((400, "INVALID_HTTP_MESSAGE_BODY"), answer.error)
        self.assertIn("{userName|id}", answer.json["errorMessage"])
        self.assertEqual(200, self.guest(appUserName="a_b").status)

    def test_refused_at_start(self):
        for template, told in (({"scope": "in.{userId}"}, r"scope: \{userId\} needs the filter"),
                               ({"t": ["a.*.{role}"]}, r"t\[0\]: \{role\} needs the filter"),
                               ({"exp": 1}, "exp: this claim cannot be changed"),
                               ({"t": "{userID}"}, "t: userID is not a placeholder"),
                               ({"scp": "{userName}"}, r"scp: \{userName\} needs the filter"),
                               ({"t": "rooms/{userId}/+"}, r"t: \{userId\} needs the filter"),
                               ({"role": "guest"}, 'role: this could be "guest" for a member'),
                               ({"role": "{attr.kind}"}, 'role: this could be "guest" for a member'),
                               ("{", "it must be JSON: unexpected end"), ('{"a":1,"a":2}', "it must be JSON: an object has two members of one name")):
            with self.subTest(template=template):
                self.use(template)
                done = command("check", "-c", self.site.conf)
                self.assertEqual(1, done.returncode)
                self.assertRegex(done.stderr, rf"memberchat\.conf:\d+: apps\.{APP}\.token\.claims: .*claims\.json: {told}")

    def test_role_guest_is_the_guests_own(self):
        self.site.put("members.csv", "appUserId,role\n1,guest\n2,host\n3,Guest\n4,GUEST\n")
        self.use({"role": "{role|lower}"})
        self.responder = self.start()
        self.assertEqual("host", self.claims(self.member("2"))["role"])
        for user in "134":
            with self.subTest(user=user):
                self.assertEqual("member", self.claims(self.member(user))["role"])
                self.assertEqual(401, self.guest(accessToken=self.member(user).json["chatToken"]).status)

    def test_trim_and_sha256(self):
        self.site.put("members.csv", "appUserId,appUserName,mail\n1,foobar1, Ann@Example.com \n2,foobar2,\n")
        self.use({"avatar": "https://www.gravatar.com/avatar/{attr.mail|trim|lower|sha256}", "mail": "{attr.mail|trim}"})
        self.responder = self.start()
        claims = self.claims(self.member())
        digest = hashlib.sha256(b"ann@example.com").hexdigest()
        self.assertEqual(f"https://www.gravatar.com/avatar/{digest}", claims["avatar"])
        self.assertEqual("Ann@Example.com", claims["mail"])
        self.assertNotIn("mail", self.claims(self.member("2")))


class PublicKeys(ClaimsCase):
    def test_with_a_template(self):
        keygen(self.site, "ES256", "es.jwk")
        self.use({"a": "{userId}"})
        self.site.change_app(token={"algorithm": "ES256", "key_file": "keys/es.jwk", "key_id": None})
        self.responder = self.start()
        token = self.member().json["chatToken"]
        self.assertEqual("1", pyjwt_verify(token, read_jwk(self.site, "es.jwk"), APP)["a"])
        head, _, signature = token.split(".")
        self.assertEqual(401, self.guest(accessToken=f"{head}.{encoded({'sub': '1'})}.{signature}").status)

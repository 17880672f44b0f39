# SPDX-License-Identifier: MIT
"""ejabberd (XMPP over WebSocket) lets in whom memberchat vouches for, and nobody else."""
import time

from lib.chat import ChatCase, es256, hs256, parts, rebuilt
from lib.ejabberd import Ejabberd
from lib.erlang import Erlang
from lib.people import People, Person


class XmppPerson(Person):
    """Somebody with an XMPP client."""

    def join(self, url, user, token):
        """Logs in; true when the server took the token."""
        self.do("join", url=url, domain=Ejabberd.DOMAIN, username=user, password=token)
        return self.wait("joined", "error")["event"] == "joined"

    def say(self, to, text):
        self.do("say", to=f"{to}@{Ejabberd.DOMAIN}", text=text)
        self.wait("said", text=text)


class XmppCase(ChatCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prepare("ejabberd.json")
        cls.erlang = Erlang(cls.scratch)
        cls.people = People(cls.scratch, "xmpp.mjs", XmppPerson)

    def person(self):
        return self.people.new(f"person {len(self.people.everyone)}")


class Xmpp(XmppCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.add_app("short", ttl="2s")
        cls.server = Ejabberd(cls.scratch, cls.erlang, cls.public_key().with_suffix(".jwk"))
        cls.app["chat_server_url"] = cls.server.url
        cls.serve()
        cls.sign = staticmethod(es256(cls.site.folder / cls.app["token"]["key_file"]))
        cls.server.wait()

    def enter(self, answer):
        """Somebody who is let in, under the id in small letters."""
        person = self.person()
        person.user = answer["userId"].lower()
        self.assertTrue(person.join(answer["chatServerWebSocketUrl"], person.user, answer["chatToken"]),
                        f"{person.events} {self.server.log_text()[-1500:]}")
        self.assertEqual(f"{person.user}@{Ejabberd.DOMAIN}", person.find("joined")[0]["jid"].partition("/")[0])
        return person

    def refused(self, token, user="1"):
        person = self.person()
        self.assertFalse(person.join(self.server.url, user, token), parts(token)[:2])
        self.assertEqual("not-authorized", person.find("error")[0]["reason"])

    def test_two_people_and_a_guest_chat(self):
        everybody = [self.enter(self.member("1")), self.enter(self.member("2")), self.enter(self.guest())]
        for speaker in everybody:
            for listener in everybody:
                text = f"{speaker.user} to {listener.user}"
                speaker.say(listener.user, text)
                self.assertEqual(f"{speaker.user}@{Ejabberd.DOMAIN}",
                                 listener.wait("message", text=text)["from"].partition("/")[0])

    def test_a_guest_named_like_a_member_is_somebody_else(self):
        ann, bob = self.enter(self.member("1")), self.enter(self.member("2"))
        answer = self.guest(appUserId="1")
        self.assertEqual("guest_1", answer["userId"])
        self.refused(answer["chatToken"], user="1")
        guest = self.enter(answer)
        bob.say("1", "for Ann only")
        ann.wait("message", text="for Ann only")
        bob.say("guest_1", "for the guest")
        guest.wait("message", text="for the guest")
        self.assertEqual(["for the guest"], [event["text"] for event in guest.find("message")])

    def test_token_of_another(self):
        self.refused(self.member("2")["chatToken"], user="1")

    def test_altered_token(self):
        self.refused(rebuilt(self.member("2")["chatToken"], jid=f"1@{Ejabberd.DOMAIN}"))

    def test_forged_token(self):
        token = self.member("1")["chatToken"]
        self.refused(rebuilt(token, es256(self.site.folder / self.new_key("ES256", "other"))))
        self.refused(rebuilt(token, hs256(self.public_key().read_bytes()), {"alg": "HS256"}))

    def test_token_without_a_signature(self):
        token = rebuilt(self.member("1")["chatToken"], header={"alg": "none"})
        self.refused(token)
        self.refused(token.rpartition(".")[0] + ".")

    def test_expired_token(self):
        token = self.member("1", app="short")["chatToken"]
        self.assertTrue(self.person().join(self.server.url, "1", token))
        time.sleep(max(0, parts(token)[1]["exp"] - time.time()) + 0.1)
        self.refused(token)

    def test_what_refused_was_the_token(self):
        """The same, but good, is let in: nothing else was wrong with those above."""
        token = rebuilt(self.member("1")["chatToken"], self.sign)
        self.assertTrue(self.person().join(self.server.url, "1", token))


class Algorithms(XmppCase):
    """ejabberd has one key; so each algorithm gets one of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("HS256", "HS384", "HS512", "RS256", "PS256", "EdDSA"):
            cls.add_app(name, algorithm=name, key_id=name, key_file=cls.new_key(name, name, "jwk"))
        cls.serve()

    def server_for(self, name):
        """It needs the public key, or the secret itself."""
        key = self.site.folder / "keys" / f"{name}.jwk"
        public = key if name.startswith("HS") else key.with_suffix(".pub.jwk")
        return Ejabberd(self.scratch, self.erlang, public, name.lower())

    def check(self, *names):
        servers = {name: self.server_for(name) for name in names}
        for name, server in servers.items():
            with self.subTest(name):
                token = self.member("1", app=name)["chatToken"]
                self.assertEqual(name, parts(token)[0]["alg"])
                self.assertTrue(self.person().join(server.wait().url, "1", token), server.log_text()[-1500:])
                self.assertFalse(self.person().join(server.url, "2", rebuilt(token, jid=f"2@{server.DOMAIN}")))
                server.process.stop()

    def test_secrets(self):
        self.check("HS256", "HS384", "HS512")

    def test_key_pairs(self):
        self.check("RS256", "PS256", "EdDSA")

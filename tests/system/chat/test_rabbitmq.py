# SPDX-License-Identifier: MIT
"""RabbitMQ (STOMP over WebSocket, OAuth 2) lets in whom memberchat vouches for, and nobody else."""
import json
import time

from lib.chat import KEY_ID, ChatCase, es256, hs256, parts, rebuilt
from lib.erlang import Erlang
from lib.people import Chatter, People, settle
from lib.rabbitmq import Rabbitmq
from lib.scratch import wait_until
from lib.site import APP, member_path

LOBBY, NEWS = "/topic/chat.lobby", "/topic/chat.news"


def guests_write(advanced):
    """Guests may write in the lobby, too."""
    before = '<<"guest">>  => []'
    assert before in advanced
    return advanced.replace(before, f'<<"guest">> => [<<"{APP}.write:%2F/amq.topic/chat.lobby">>]')


class Rabbit(ChatCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prepare("rabbitmq.json")
        cls.add_app("short", ttl="2s", audience=APP)
        cls.add_app("elsewhere", audience="other")
        cls.add_app("unknown", key_id="k9", audience=APP)
        cls.add_app("unprefixed", audience=APP, claims="unprefixed.json")
        cls.site.settings["apps"]["unprefixed"]["guest_id_prefix"] = ""
        template = (cls.site.folder / "rabbitmq.json").read_text()
        cls.site.put("unprefixed.json", template.replace("{appId|id}", APP))
        cls.server = Rabbitmq(cls.scratch, Erlang(cls.scratch), APP, {KEY_ID: cls.public_key()}, guests_write)
        cls.app["chat_server_url"] = cls.server.url
        cls.serve()
        cls.people = People(cls.scratch, "stomp.mjs", Chatter)
        cls.server.wait()
        cls.count = 0
        cls.sign = staticmethod(es256(cls.site.folder / cls.app["token"]["key_file"]))

    def person(self):
        Rabbit.count += 1
        return self.people.new(f"person {self.count}")

    def enter(self, answer, *rooms):
        """Somebody who is let in."""
        person = self.person()
        person.user = answer["userId"]
        self.assertTrue(person.join(answer["chatServerWebSocketUrl"], answer["chatToken"], rooms, person.user),
                        f"{person.events} {self.server.log_text()[-600:]}")
        return person

    def refused(self, token, because=None):
        """Somebody who is not; the server's log says why, where a reason is given."""
        person = self.person()
        before = len(self.server.log_text())
        self.assertFalse(person.join(self.server.url, token, user="1"), parts(token)[:2])
        self.assertEqual([], person.find("joined"))
        if because:
            wait_until(f"{because} in the log", lambda: because in self.server.log_text()[before:])

    def test_two_people_and_a_guest_chat(self):
        ann, bob = (self.enter(self.member(user), LOBBY) for user in "12")
        guest = self.enter(self.guest(appUserName="Zoë"), LOBBY)
        for speaker, text in ((ann, "I am Ann"), (bob, "And I am Bob"), (guest, "Zoë hört zu")):
            self.assertTrue(speaker.say(LOBBY, text, **{"user-id": speaker.user}))
            for listener in (ann, bob, guest):
                self.assertEqual(speaker.user, listener.hears(text)["from"])
        self.assertEqual(["I am Ann", "And I am Bob", "Zoë hört zu"], ann.heard())

    def test_guest_reads_but_does_not_write(self):
        ann = self.enter(self.member("1"), NEWS)
        guest, quiet = (self.enter(self.guest(), NEWS) for _ in range(2))
        self.assertTrue(ann.say(NEWS, "news"))
        guest.hears("news")
        before = len(self.server.log_text())
        self.assertFalse(guest.say(NEWS, "rumours"))
        wait_until("the refusal in the log", lambda: "access_refused" in self.server.log_text()[before:])
        settle()
        self.assertEqual([["news"], ["news"]], [ann.heard(), quiet.heard()])

    def test_nobody_leaves_the_rooms_of_the_role(self):
        for destination in ("/topic/other", "/topic/#", "/queue/inbox", "/exchange/amq.direct/x", "/amq/queue/x"):
            with self.subTest(destination):
                self.assertFalse(self.enter(self.member("1")).listen(destination))

    def test_messages_for_one_person(self):
        ann = self.enter(self.member("1"), "/topic/dm.1")
        guest = self.guest()
        self.enter(guest, f"/topic/dm.{guest['userId']}")
        for destination in ("/topic/dm.2", "/topic/dm.*", "/topic/dm.#", "/topic/dm.1.#"):
            with self.subTest(destination):
                self.assertFalse(self.enter(self.member("1")).listen(destination))
        self.assertTrue(self.enter(self.member("2")).say("/topic/dm.1", "psst"))
        ann.hears("psst")

    def test_a_guest_named_like_a_member_reads_nothing_of_his(self):
        ann = self.enter(self.member("1"), "/topic/dm.1")
        answer = self.guest(appUserId="1")
        self.assertEqual("guest_1", answer["userId"])
        guest = self.enter(answer, "/topic/dm.guest_1")
        self.assertFalse(self.enter(self.guest(appUserId="1")).listen("/topic/dm.1"))
        bob = self.enter(self.member("2"))
        self.assertTrue(bob.say("/topic/dm.1", "for Ann only"))
        self.assertTrue(bob.say("/topic/dm.guest_1", "for the guest"))
        ann.hears("for Ann only")
        guest.hears("for the guest")
        settle()
        self.assertEqual([["for Ann only"], ["for the guest"]], [ann.heard(), guest.heard()])

    def test_without_a_prefix_he_would(self):
        """What guest_id_prefix is for."""
        answer = self.guest(app="unprefixed", appUserId="1")
        self.assertEqual("1", answer["userId"])
        guest = self.enter({**answer, "chatServerWebSocketUrl": self.server.url}, "/topic/dm.1")
        self.assertTrue(self.enter(self.member("2")).say("/topic/dm.1", "for Ann only"))
        guest.hears("for Ann only")

    def test_id_that_would_be_a_pattern(self):
        answer = self.web.post(member_path("%2A"), self.site.auth())
        self.assertEqual((500, "INTERNAL_SERVER_ERROR"), (answer.status, answer.json["errorCode"]))

    def test_nobody_speaks_for_another(self):
        ann = self.enter(self.member("1"), LOBBY)
        bob = self.enter(self.member("2"), LOBBY)
        self.assertFalse(bob.say(LOBBY, "Ann owes Bob money", **{"user-id": ann.user}))
        settle()
        self.assertEqual([], ann.heard())

    def test_login_name_does_not_count(self):
        answer = self.member("2")
        bob = self.person()
        self.assertTrue(bob.join(self.server.url, answer["chatToken"], [LOBBY], user="1"))
        self.assertTrue(bob.say(LOBBY, "whoever I claim to be", **{"user-id": "2"}))

    def test_altered_token(self):
        self.refused(rebuilt(self.member("1")["chatToken"], sub="2"))
        self.refused(rebuilt(self.guest()["chatToken"], role="member"))

    def test_forged_token(self):
        token = self.member("1")["chatToken"]
        other = self.site.folder / self.new_key("ES256", "other")
        self.refused(rebuilt(token, es256(other)))
        self.refused(rebuilt(token, hs256(self.public_key().read_bytes()), {"alg": "HS256"}))

    def test_token_without_a_signature(self):
        token = rebuilt(self.member("1")["chatToken"], header={"alg": "none"})
        self.refused(token)
        self.refused(token.rpartition(".")[0] + ".")

    def test_truncated_token(self):
        self.refused(self.member("1")["chatToken"][:-4])

    def test_expired_token(self):
        token = self.member("1", app="short")["chatToken"]
        self.assertEqual(2 + 30, parts(token)[1]["exp"] - parts(token)[1]["iat"])
        time.sleep(max(0, parts(token)[1]["exp"] - time.time()) + 0.1)
        self.refused(token, "expired")

    def test_token_for_another_audience(self):
        token = self.member("1", app="elsewhere")["chatToken"]
        self.assertEqual("other", parts(token)[1]["aud"])
        self.refused(token)

    def test_unknown_kid(self):
        token = self.member("1", app="unknown")["chatToken"]
        self.assertEqual("k9", parts(token)[0]["kid"])
        self.refused(token)

    def test_key_in_the_header(self):
        own = self.site.folder / self.new_key("ES256", "own")
        jwk = json.loads(own.with_suffix(".pub.jwk").read_text())
        self.refused(rebuilt(self.member("1")["chatToken"], es256(own), {"jwk": jwk}))

    def test_unknown_role(self):
        """It has what the token's own scopes say, and no more."""
        emperor = self.person()
        token = self.member("1")["chatToken"]
        scope = ["emperor" if part == "member" else part for part in parts(token)[1]["scope"]]
        token = rebuilt(token, self.sign, role="emperor", scope=scope)
        self.assertTrue(emperor.join(self.server.url, token, [LOBBY], "1"))
        self.assertFalse(emperor.say(LOBBY, "kneel"))

    def test_what_refused_was_the_token(self):
        """The same, but good, is let in: nothing else was wrong with those above."""
        token = rebuilt(self.member("1")["chatToken"], self.sign)
        self.assertTrue(self.person().join(self.server.url, token, [LOBBY], "1"))

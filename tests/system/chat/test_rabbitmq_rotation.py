# SPDX-License-Identifier: MIT
"""RabbitMQ takes memberchat's keys from its JWKS, while they are rotated through all public-key algorithms."""
import signal

from lib.chat import KEY_ID, ChatCase, es256, parts, rebuilt
from lib.erlang import Erlang
from lib.people import Chatter, People
from lib.rabbitmq import Rabbitmq
from lib.scratch import wait_until
from lib.site import APP

LOBBY = "/topic/chat.lobby"
KEYS = {"es1": "ES256", "rs1": "RS256", "ps1": "PS256", "ed1": "EdDSA"}


class Rotation(ChatCase):
    def setUp(self):
        self.prepare("rabbitmq.json")
        self.files = {name: self.new_key(algorithm, name, "jwk") for name, algorithm in KEYS.items()}
        self.app["token"] = {"claims": "rabbitmq.json", "algorithm": "ES256", "key_file": self.files["es1"]}
        self.serve()
        self.server = Rabbitmq(self.scratch, Erlang(self.scratch), APP, {KEY_ID: self.public_key()}, self.with_jwks)
        self.people = People(self.scratch, "stomp.mjs", Chatter)
        self.server.wait()

    def with_jwks(self, advanced):
        """Keys by URL; advanced.config replaces those of rabbitmq.conf."""
        url = f"http://127.0.0.1:{self.web.port}{self.web.mount}/.well-known/jwks.json"
        before = "{scope_aliases,"
        assert advanced.count(before) == 1
        return advanced.replace(before, '{key_config, [{jwks_url, "%s"}]},\n   %s' % (url, before))

    def change_keys(self, active, following=(), previous=()):
        published = {active, *following, *previous}
        self.site.change_app(token={
            "algorithm": KEYS[active], "key_file": self.files[active],
            "next_keys": [self.files[name] for name in following],
            "previous_keys": [self.files[name] for name in previous]})
        self.responder.process.send_signal(signal.SIGHUP)
        wait_until(f"{published} published, {active} in use", lambda: (self.published(), self.active()) == (published, active))

    def published(self):
        return {key["kid"] for key in self.web.call("GET", "/.well-known/jwks.json").json["keys"]}

    def active(self):
        return parts(self.member("1")["chatToken"])[0]["kid"]

    def enters(self, token):
        person = self.people.new(f"person {len(self.people.everyone)}")
        return person.join(self.server.url, token, [LOBBY], "1")

    def issue(self, name):
        """A token by the key of that name."""
        token = self.member("1")["chatToken"]
        header = parts(token)[0]
        self.assertEqual((name, KEYS[name]), (header["kid"], header["alg"]))
        return token

    def test_no_token_is_refused_at_any_point(self):
        issued = []
        names = list(KEYS)
        for before, name, after in zip([None, *names], names, [*names[1:], None]):
            previous = [before] if before else []
            following = [after] if after else []
            for settings in ((name, (), previous), (name, following, previous), (name, following, ())):
                with self.subTest(settings):
                    self.change_keys(*settings)
                    issued.append(self.issue(name))
                    good = [token for token in issued if parts(token)[0]["kid"] in self.published()]
                    self.assertEqual([True] * len(good), [self.enters(token) for token in good])
        self.a_dropped_key_is_refused(issued[0])

    def a_dropped_key_is_refused(self, token):
        """RabbitMQ forgets it when it fetches the keys again: at the next key id that it does not know."""
        forged = rebuilt(token, es256(self.site.folder / self.new_key("ES256", "forged")), {"kid": "forged"})
        self.assertFalse(self.enters(forged))
        self.assertFalse(self.enters(token))

# SPDX-License-Identifier: MIT
"""Two clustered nodes of RabbitMQ behind lighttpd: one is killed, and the chat goes on."""
from lib.chat import KEY_ID, ChatCase
from lib.erlang import Erlang
from lib.people import Chatter, People
from lib.rabbitmq import Rabbitmq
from lib.scratch import wait_until
from lib.site import APP

LOBBY = "/topic/chat.lobby"
BALANCER = """
server.modules += ( "mod_proxy" )
$HTTP["url"] == "/ws" {
    proxy.header = ( "upgrade" => "enable" )
    proxy.balance = "round-robin"
    proxy.server = ( "" => ( %s ) )
}
"""


class Cluster(ChatCase):
    def setUp(self):
        self.prepare("rabbitmq.json")
        erlang = Erlang(self.scratch)
        settings = (self.scratch, erlang, APP, {KEY_ID: self.public_key()})
        first = Rabbitmq(*settings, name="first").wait()
        second = Rabbitmq(*settings, name="second", cluster=[first]).wait()
        self.nodes = [first, second]
        hosts = ", ".join(f'( "host" => "127.0.0.1", "port" => {node.port} )' for node in self.nodes)
        self.serve(BALANCER % hosts)
        self.people = People(self.scratch, "stomp.mjs", Chatter)

    def enter(self, name, answer):
        """Somebody whose client comes back when its connection is lost."""
        person = self.people.new(name)
        person.user = answer["userId"]
        url = f"ws://127.0.0.1:{self.web.port}/ws"
        self.assertTrue(person.join(url, answer["chatToken"], [LOBBY], person.user, reconnect=200), person.events)
        return person

    def everybody_talks(self, everybody, about):
        """Guests only listen."""
        for speaker in everybody[:2]:
            text = f"{speaker.who} on {about}"
            self.assertTrue(speaker.say(LOBBY, text, **{"user-id": speaker.user}), speaker.events)
            for listener in everybody:
                self.assertEqual(speaker.user, listener.hears(text)["from"])

    def test_a_node_dies(self):
        everybody = [self.enter("Ann", self.member("1")), self.enter("Bob", self.member("2")),
                     *(self.enter(f"guest {n}", self.guest()) for n in range(2))]
        self.everybody_talks(everybody, "two nodes")
        self.nodes[1].kill()
        wait_until("half of them notice", lambda: len([p for p in everybody if p.find("closed")]) == 2)
        moved = [p for p in everybody if p.find("closed")]
        for person in moved:
            wait_until(f"{person.who} is back: {person.events}", lambda: len(person.find("listening")) == 2, 20)
        self.everybody_talks(everybody, "one node")
        self.assertEqual(moved, [p for p in everybody if p.find("closed")])


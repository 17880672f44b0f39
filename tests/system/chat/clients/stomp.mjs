// SPDX-License-Identifier: MIT
// People who chat through @stomp/stompjs.  Reads a command a line from standard input, as
// {"do": "join", "who": "alice", ...}, and prints what happens to whom, as {"who": "alice", "event": ...}.
import { createInterface } from "node:readline";
import { Client } from "@stomp/stompjs";
import WebSocket from "ws";

Object.assign(globalThis, { WebSocket });

const clients = new Map();
const tell = (who, event, details = {}) => console.log(JSON.stringify({ who, event, ...details }));

const listen = (client, who, to) => {
    const receipt = `listen-${to}`;
    client.watchForReceipt(receipt, () => tell(who, "listening", { to }));
    client.subscribe(to, (message) => tell(who, "message", {
        to, text: message.body, from: message.headers["user-id"] ?? null,
    }), { receipt });
};

const actions = {
    // With `reconnect` (milliseconds) the client comes back by itself and listens to the same rooms.
    join({ who, url, headers, rooms = [], reconnect = 0 }) {
        const client = new Client({
            brokerURL: url,
            connectHeaders: headers,
            reconnectDelay: reconnect,
            onConnect: () => {
                tell(who, "joined");
                rooms.forEach((to) => listen(client, who, to));
            },
            onStompError: (frame) => {
                tell(who, "error", { reason: frame.headers.message });
                client.deactivate({ force: true }); // RabbitMQ leaves the socket open
            },
            onWebSocketClose: ({ code }) => tell(who, "closed", { code }),
        });
        clients.set(who, client);
        client.activate();
    },
    listen({ who, to }) {
        listen(clients.get(who), who, to);
    },
    // The broker's receipt says that it took the message.
    say({ who, to, text, headers = {} }) {
        const client = clients.get(who);
        const receipt = `say-${text}`;
        client.watchForReceipt(receipt, () => tell(who, "said", { to, text }));
        client.publish({ destination: to, body: text, headers: { ...headers, receipt } });
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    try {
        await actions[command.do](command);
    } catch (error) {
        tell(command.who, "failed", { reason: String(error) });
    }
}
process.exit(0);

// SPDX-License-Identifier: MIT
// People who chat through @xmpp/client.  Commands and events are as those of stomp.mjs.
import { createInterface } from "node:readline";
import { client, xml } from "@xmpp/client";
import WebSocket from "ws";

Object.assign(globalThis, { WebSocket });

const clients = new Map();
const tell = (who, event, details = {}) => console.log(JSON.stringify({ who, event, ...details }));

const actions = {
    join({ who, url, domain, username, password }) {
        const xmpp = client({
            service: url, domain,
            // Over plain ws:// the client would not offer PLAIN by itself.
            credentials: (authenticate) => authenticate({ username, password }, "PLAIN"),
        });
        clients.set(who, xmpp);
        xmpp.reconnect.stop();
        xmpp.on("error", () => {}); // told by start()
        xmpp.on("stanza", (stanza) => {
            if (stanza.is("message") && stanza.getChildText("body")) {
                tell(who, "message", { text: stanza.getChildText("body"), from: stanza.attrs.from });
            }
        });
        xmpp.on("online", async (jid) => {
            await xmpp.send(xml("presence"));
            tell(who, "joined", { jid: String(jid) });
        });
        xmpp.start().catch((error) => {
            tell(who, "error", { reason: error.condition ?? String(error) });
            xmpp.stop().catch(() => {});
        });
    },
    async say({ who, to, text }) {
        await clients.get(who).send(xml("message", { type: "chat", to }, xml("body", {}, text)));
        tell(who, "said", { to, text });
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

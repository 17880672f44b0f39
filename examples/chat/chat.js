// SPDX-License-Identifier: MIT
// Gets a token from the application server, chats over STOMP, and renews the token by opening the next
// connection before it closes the one in use.

const LINGER = 2000; // a connection that was replaced still hears for so long
const REMEMBERED = 2000; // ids of messages, to drop doubles by

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Something did not work: `again` says in how many seconds to try it anew, and without it never; `tries`, how often. */
class Trouble extends Error {
  constructor(message, again, tries = Infinity) {
    super(message);
    this.again = again;
    this.tries = again === undefined ? 0 : tries;
  }
}

// ---- Tokens and connections ----

/** A token for {name} or, later, {session}: memberchat's answer, and session and room beside it. */
async function fetchToken(server, wish) {
  let answer, body;
  try {
    answer = await fetch(new URL("chat-token", server), {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wish),
    });
    body = await answer.json();
  } catch {
    throw new Trouble("The application server does not answer.", 1);
  }
  if (answer.ok) {
    return body;
  }
  const retry = Number(answer.headers.get("Retry-After"));
  const passing = answer.status === 429 || answer.status >= 500;
  throw new Trouble(body.errorMessage ?? "There is no token for you.", passing ? retry || 1 : undefined);
}

/** A connection that listens already.  `hear` gets its messages, `lost` its end. */
function openConnection(token, hear, lost) {
  return new Promise((resolve, reject) => {
    const client = new StompJs.Client({
      brokerURL: token.chatServerWebSocketUrl,
      connectHeaders: { login: token.userId, passcode: token.chatToken },
      reconnectDelay: 0, // with a new token, or not at all
      connectionTimeout: 10000,
      heartbeatIncoming: 20000,
      heartbeatOutgoing: 40000, // a page in the background is woken once a minute
      onConnect: () => {
        client.watchForReceipt("listening", () => resolve(client));
        client.subscribe(token.room, (frame) => hear(client, frame), { receipt: "listening" });
      },
      onStompError: () => { // the server leaves the socket open
        reject(new Trouble("The chat server does not accept the token.", 2, 3));
        client.deactivate({ force: true });
      },
      onWebSocketClose: ({ code }) => {
        reject(new Trouble("The chat server does not answer.", 1));
        lost(client, code);
      },
    });
    client.activate();
  });
}

/** When to renew, in milliseconds: 30 seconds or a tenth before the end, and not all pages at once. */
function renewalDelay(token) {
  const lifetime = Math.min(token.expiresIn, 86400) * 1000; // by the issuer: the clock here may be wrong
  const margin = Math.max(lifetime / 10, Math.min(30000, lifetime / 2));
  return lifetime - margin * (1 + Math.random() / 10);
}

/** Closes a connection that was replaced, when it can have nothing more to say. */
async function retire(client) {
  await sleep(LINGER);
  client.deactivate();
  await sleep(1000);
  client.deactivate({ force: true });
}

// ---- A person in a room ----

/** Tells `view` of everything: state(name, text), heard(message), waiting(message), taken(id), failed(id). */
export class Chat {
  constructor(server, view) {
    this.server = server;
    this.view = view;
    this.outbox = new Map(); // messages without the server's receipt, in order
    this.seen = new Set();
    this.client = null; // where we speak
    this.listening = null; // where we listen: there still, while a replaced connection is open
    this.held = []; // what came by another meanwhile
    this.connecting = false;
    this.left = false;
  }

  /** Comes in.  Throws Trouble. */
  async join(name) {
    await this.connect({ name });
  }

  async connect(wish) {
    const token = await fetchToken(this.server, wish);
    const client = await openConnection(token, (...message) => this.receive(...message), (...end) => this.lost(...end));
    if (this.left) {
      client.deactivate();
      return;
    }
    const previous = this.client;
    this.token = token;
    this.client = client;
    clearTimeout(this.renewal);
    this.renewal = setTimeout(() => this.reconnect(), renewalDelay(token));
    if (previous) {
      retire(previous);
    }
    if (!this.listening?.connected) {
      this.listenHere();
    }
    this.view.state("in", `Here as ${token.userName}`);
    this.flush();
  }

  /** Connects until it works, or until it never will. */
  async reconnect() {
    if (this.connecting) {
      return;
    }
    this.connecting = true;
    for (let attempt = 0; !this.left; attempt++) {
      try {
        await this.connect({ session: this.token.session });
        if (this.client.connected) {
          break;
        }
      } catch (trouble) {
        if (attempt >= trouble.tries) {
          this.leave(trouble.message);
          break;
        }
        if (!this.client.connected) {
          this.view.state("out", `${trouble.message} Trying again …`);
        }
        await sleep(Math.max(trouble.again, Math.min(2 ** attempt, 30)) * 1000 * (0.75 + Math.random() / 2));
      }
    }
    this.connecting = false;
  }

  /** A connection has ended.  Code 1000, not asked for, is a server that does not want what it was sent. */
  lost(client, code) {
    for (const message of this.outbox.values()) {
      if (message.client === client) {
        message.client = null;
        message.refusals += code === 1000 && client.active;
      }
    }
    if (client === this.listening && client !== this.client) {
      this.listenHere();
    }
    if (client === this.client && !this.left) {
      this.view.state("out", "Connecting again …");
      this.reconnect();
    } else {
      this.flush();
    }
  }

  leave(reason) {
    this.left = true;
    clearTimeout(this.renewal);
    this.client?.deactivate();
    this.view.state("out", reason ?? "Not connected", true);
  }

  say(text) {
    const message = { id: crypto.getRandomValues(new Uint32Array(4)).join("-"), text, client: null, refusals: 0 };
    this.outbox.set(message.id, message);
    this.view.waiting({ ...this.speaker(), id: message.id, text });
    this.flush();
  }

  speaker() {
    return { from: this.token.userId, name: this.token.userName, mine: true };
  }

  /** Sends what waits.  What is under way on an earlier connection is waited for: order is kept. */
  flush() {
    for (const message of this.outbox.values()) {
      if (message.client === this.client) {
        continue;
      }
      if (message.client?.connected || !this.client.connected) {
        return;
      }
      if (message.refusals > 1) {
        this.outbox.delete(message.id);
        this.view.failed(message.id);
      } else {
        this.publish(message);
      }
    }
  }

  publish(message) {
    message.client = this.client;
    const receipt = `${message.id}/${message.refusals}`;
    this.client.watchForReceipt(receipt, () => {
      this.outbox.delete(message.id);
      this.view.taken(message.id);
      this.flush();
    });
    this.client.publish({
      destination: this.token.room,
      headers: { receipt, "user-id": this.token.userId, "content-type": "application/json" },
      body: JSON.stringify({ id: message.id, name: this.token.userName, text: message.text }),
    });
  }

  /** Two connections may be open, and only one of them decides on the order; doubles are dropped later. */
  receive(client, frame) {
    if (client === this.listening) {
      this.hear(frame);
    } else {
      this.held.push(frame);
    }
  }

  listenHere() {
    const held = this.held;
    this.listening = this.client;
    this.held = [];
    held.forEach((frame) => this.hear(frame));
  }

  /** The server vouches for user-id, and for nothing in the body. */
  hear(frame) {
    const from = frame.headers["user-id"];
    const body = parse(frame.body);
    if (!from || !body) {
      return;
    }
    const key = `${from} ${body.id}`;
    if (this.seen.has(key)) {
      return;
    }
    this.seen.add(key);
    if (this.seen.size > REMEMBERED) {
      this.seen.delete(this.seen.values().next().value);
    }
    this.view.heard({ ...body, from, mine: from === this.token.userId });
  }
}

/** What a message says, or null if it is none. */
function parse(text) {
  try {
    const body = JSON.parse(text);
    const fields = [body.id, body.name, body.text];
    return fields.every((field) => typeof field === "string") ? {
      id: body.id.slice(0, 64), name: body.name.slice(0, 60), text: body.text.slice(0, 4000),
    } : null;
  } catch {
    return null;
  }
}

// SPDX-License-Identifier: MIT
// What one sees of a Chat, and does with it.
import { Chat } from "./chat.js";

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));

function make(name, className, text) {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text ?? "";
  return element;
}

/** A colour for an id, far from those of similar ids. */
function hue(id) {
  return [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 0) * 137 % 360;
}

const view = {
  items: new Map(), // own messages that are shown before they come back
  owners: new Map(), // name: the first who used it
  last: null, // who spoke last

  state(name, text, ended = false) {
    page.state.dataset.state = name;
    page.state.dataset.connections = Number(page.state.dataset.connections) + (name === "in");
    if (page.state.textContent !== text) {
      page.state.textContent = text;
    }
    if (ended) {
      showDoor(text);
    }
  },

  /** Two who use one name are told apart by their ids. */
  label({ from, name }) {
    if (!this.owners.has(name)) {
      this.owners.set(name, from);
    }
    return this.owners.get(name) === from ? name : `${name} (${from.slice(-6)})`;
  },

  build(message) {
    const item = make("li", "message");
    const who = make("p", "who");
    const time = make("time", "", new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
    time.dateTime = new Date().toISOString();
    who.append(make("span", "", message.mine ? "You" : this.label(message)), " ", time);
    item.append(who, make("p", "said", message.text));
    item.classList.toggle("mine", message.mine);
    item.classList.toggle("again", this.last === message.from);
    item.style.setProperty("--hue", hue(message.from));
    this.last = message.from;
    return item;
  },

  add(item) {
    const atEnd = page.log.scrollHeight - page.log.scrollTop - page.log.clientHeight < 80;
    page.log.append(item);
    page.newest.hidden = atEnd;
    if (atEnd) {
      page.log.scrollTop = page.log.scrollHeight;
    }
  },

  heard(message) {
    if (message.mine && this.items.has(message.id)) {
      this.taken(message.id);
      this.items.delete(message.id);
    } else {
      this.add(this.build(message));
    }
  },

  waiting(message) {
    const item = this.build(message);
    item.classList.add("waiting");
    this.items.set(message.id, item);
    this.add(item);
    page.log.scrollTop = page.log.scrollHeight;
  },

  taken(id) {
    this.items.get(id)?.classList.remove("waiting");
  },

  failed(id) {
    this.items.get(id).append(make("p", "trouble", "Not sent: you may read here, but not write."));
  },
};

function showDoor(reason) {
  page.room.hidden = page.leave.hidden = true;
  page.door.hidden = false;
  page.wrong.textContent = reason === "Not connected" ? "" : reason;
  page.name.focus();
}

function clearRoom() {
  page.log.replaceChildren(make("li", "note", "You hear what is said from now on."));
  view.items.clear();
  view.last = null;
}

function showRoom() {
  page.room.hidden = page.leave.hidden = false;
  page.door.hidden = true;
  page.text.focus();
}

let chat = null;

page.join.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = page.join.querySelector("button");
  for (const input of [page.name, page.server]) {
    input.setAttribute("aria-invalid", String(!input.validity.valid || !input.value.trim()));
  }
  const bad = page.join.querySelector("[aria-invalid=true]");
  page.wrong.textContent = bad ? (bad === page.name ? "Please enter a name." : "Please enter an address.") : "";
  if (bad || button.disabled) {
    page.elsewhere.open ||= bad === page.server;
    bad?.focus();
    return;
  }
  button.disabled = true;
  try {
    clearRoom();
    chat = new Chat(page.server.value, view);
    await chat.join(page.name.value.trim());
    showRoom();
  } catch (trouble) {
    page.wrong.textContent = trouble.message;
    page.name.focus();
  } finally {
    button.disabled = false;
  }
});

page.write.addEventListener("submit", (event) => {
  event.preventDefault();
  if (page.text.value.trim()) {
    chat.say(page.text.value.trim());
    page.text.value = "";
  }
  page.text.focus();
});

page.text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    page.write.requestSubmit();
  }
});

page.log.addEventListener("scroll", () => {
  page.newest.hidden ||= page.log.scrollHeight - page.log.scrollTop - page.log.clientHeight < 80;
});
page.newest.addEventListener("click", () => {
  page.log.scrollTop = page.log.scrollHeight;
  page.text.focus();
});
page.leave.addEventListener("click", () => chat.leave());
page.server.value = location.origin;

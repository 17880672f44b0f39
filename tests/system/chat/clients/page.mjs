// SPDX-License-Identifier: MIT
// The page of examples/chat in a browser: node page.mjs FOLDER SCENARIO URL [SERVER].  Prints what was seen, as
// JSON; screenshots go into the folder.
import { join } from "node:path";
import { withBrowser } from "./browser.mjs";

/** The address is folded away: most people never need it. */
async function fillServer(page, address) {
    const field = page.getByLabel("Application server");
    if (!(await field.isVisible())) {
        await page.getByText("Another server").click();
    }
    await field.fill(address);
}

const [folder, scenario, url, server] = process.argv.slice(2);
const PHONE = { viewport: { width: 360, height: 640 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const shoot = (page, name) => page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled" });

async function enter(page, name) {
    await page.goto(url);
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Join the chat" }).click();
    await page.getByLabel("Your message").waitFor();
    return page;
}

async function say(page, text) {
    await page.getByLabel("Your message").fill(text);
    await page.getByRole("button", { name: "Send" }).click();
}

const said = (page, text) => page.locator(".said", { hasText: text });
const texts = (page) => page.locator(".said").allTextContents();
const connections = async (page) => Number(await page.locator("#state").getAttribute("data-connections"));
const state = (page, text) => page.getByRole("status").filter({ hasText: text }).waitFor();
const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.tagName);

const scenarios = {
    async talk(open) {
        const ann = await enter(await open({ colorScheme: "dark" }), "Ann");
        const bob = await enter(await open(), "Bob");
        const guest = await enter(await open(), "Zoë");
        const markup = "<img src=x onerror=alert(1)> & <b>bold</b>";
        await say(ann, "Good morning! Who is here?");
        await said(guest, "Good morning").waitFor();
        await say(guest, "I am, for the first time.\nThis page is all there is to it?");
        await said(bob, "first time").waitFor();
        await say(bob, markup);
        await said(ann, "<b>").waitFor();
        await say(bob, "Yes. A token is good for a few seconds here, and you should not notice.");
        await said(ann, "not notice").waitFor();
        await said(guest, "not notice").waitFor();
        await ann.locator(".waiting").waitFor({ state: "detached" });
        await Promise.all([shoot(ann, "talk-dark"), shoot(guest, "talk-light")]);
        return {
            ann: await texts(ann), bob: await texts(bob), guest: await texts(guest),
            speakers: await guest.locator(".message:not(.again) .who span").allTextContents(),
            elements: await ann.locator(".said *").count(),
        };
    },

    // Both talk without a pause while both renew; nothing may be lost, doubled, or out of order.
    async renewal(open) {
        const people = [await enter(await open(), "Ann"), await enter(await open(), "Zoë")];
        const flood = (who) => {
            window.sent = [];
            window.flood = setInterval(() => {
                window.sent.push(`${who} ${window.sent.length}`);
                document.getElementById("text").value = window.sent.at(-1);
                document.getElementById("write").requestSubmit();
            }, 10);
        };
        await Promise.all(people.map((page, who) => page.evaluate(flood, `person ${who}`)));
        const renewed = () => Number(document.getElementById("state").dataset.connections) > 3;
        await Promise.all(people.map((page) => page.waitForFunction(renewed)));
        await Promise.all(people.map((page) => page.evaluate(() => clearInterval(window.flood))));
        const sent = await Promise.all(people.map((page) => page.evaluate(() => window.sent)));
        await Promise.all(people.map((page, who) => said(page, new RegExp(`^${sent[1 - who].at(-1)}$`)).waitFor()));
        await Promise.all(people.map((page) => page.locator(".waiting").first().waitFor({ state: "detached" })));
        return { sent, heard: await Promise.all(people.map(texts)), state: await people[0].getByRole("status").textContent() };
    },

    // No mouse.
    async keyboard(open) {
        const page = await open();
        const keys = page.keyboard;
        const focus = {};
        await page.goto(url);
        focus.start = await focused(page);
        await keys.press("Enter");
        focus.refused = await focused(page);
        const alert = await page.getByRole("alert").textContent();
        await keys.type("Ann");
        await keys.press("Tab");
        focus.next = await focused(page);
        await keys.press("Enter"); // unfolds
        await keys.press("Tab");
        focus.unfolded = await focused(page);
        await keys.press("Enter");
        await state(page, "Here as Ann");
        await page.getByLabel("Your message").waitFor();
        focus.joined = await focused(page);
        await keys.type("typed");
        await keys.press("Shift+Enter");
        await keys.type("in two lines");
        await keys.press("Enter");
        await said(page, "typed").waitFor();
        focus.sent = await focused(page);
        await keys.press("Shift+Tab");
        focus.back = await focused(page);
        await shoot(page, "keyboard-focus");
        await keys.press("Shift+Tab");
        focus.top = await focused(page);
        await keys.press("Enter");
        await page.getByLabel("Your name").waitFor();
        focus.left = await focused(page);
        return { focus, alert, said: await texts(page) };
    },

    // What a screen reader is given, before and after joining.
    async reader(open) {
        const page = await open();
        await page.goto(url);
        const door = await page.locator("body").ariaSnapshot();
        await enter(page, "Ann");
        await say(page, "hello");
        await said(page, "hello").waitFor();
        return { door, room: await page.locator("body").ariaSnapshot() };
    },

    async phone(open) {
        const other = await enter(await open(), "Bob");
        const page = await open(PHONE);
        await page.goto(url);
        await shoot(page, "phone-door");
        await enter(page, "Zoë with a rather long name for a phone");
        for (let n = 0; n < 14; n++) {
            await say(other, n === 5 ? "Donaudampfschifffahrt".repeat(6) : `Line ${n} of a conversation that fills the screen`);
        }
        await said(page, "Line 13").waitFor();
        await say(page, "I can read this.");
        await said(other, "I can read this.").waitFor();
        await shoot(page, "phone-room");
        const measured = await page.evaluate(() => {
            const size = (id) => document.getElementById(id).getBoundingClientRect();
            return {
                overflow: document.documentElement.scrollWidth - innerWidth,
                sendBottom: size("write").bottom - innerHeight,
                smallest: Math.min(...[...document.querySelectorAll("button, textarea")]
                    .filter((e) => e.offsetParent).map((e) => e.getBoundingClientRect().height)),
                atEnd: document.getElementById("log").scrollHeight - document.getElementById("log").scrollTop -
                    document.getElementById("log").clientHeight,
            };
        });
        const narrow = await open({ ...PHONE, viewport: { width: 320, height: 480 }, colorScheme: "dark" });
        await narrow.goto(url);
        await shoot(narrow, "phone-narrow");
        measured.narrowOverflow = await narrow.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        return measured;
    },

    // The connection goes away under the page; what is written meanwhile arrives when it is back.
    async outage(open) {
        const other = await enter(await open(), "Bob");
        const page = await open();
        let cut = null;
        let blocked = false;
        await page.routeWebSocket(/\/ws$/, (socket) => {
            if (blocked) {
                socket.close();
                return;
            }
            const server = socket.connectToServer();
            cut = () => Promise.all([socket.close({ code: 3001 }), server.close()]);
        });
        await enter(page, "Ann");
        blocked = true;
        await cut();
        await state(page, "again");
        await say(page, "written while away");
        await page.locator(".waiting").waitFor();
        await shoot(page, "outage");
        blocked = false;
        await said(other, "written while away").waitFor();
        await page.locator(".waiting").waitFor({ state: "detached" });
        return { ann: await texts(page), bob: await texts(other) };
    },

    // The person asks an application server that the page does not come from.
    async elsewhere(open) {
        const page = await open();
        await page.goto(url);
        await page.getByLabel("Your name").fill("Ann");
        await fillServer(page, server);
        await page.getByRole("button", { name: "Join the chat" }).click();
        await page.getByLabel("Your message").waitFor();
        const start = await connections(page);
        await page.waitForFunction((n) => Number(document.getElementById("state").dataset.connections) > n, start);
        return { state: await page.getByRole("status").textContent() };
    },

    // A room where the role does not allow to write.
    async readonly(open) {
        const inNews = async (page) => {
            await page.route("**/chat-token", async (route) => {
                const body = await (await route.fetch()).json();
                await route.fulfill({ json: { ...body, room: "/topic/chat.news" } });
            });
            return page;
        };
        const ann = await enter(await inNews(await open()), "Ann");
        const guest = await enter(await inNews(await open()), "Zoë");
        await say(ann, "news");
        await said(guest, "news").waitFor();
        await say(guest, "rumours");
        await guest.getByText("you may read here, but not write").waitFor();
        await shoot(guest, "readonly");
        await say(ann, "more news");
        await said(guest, "more news").waitFor();
        return { ann: await texts(ann), guest: await texts(guest) };
    },

    async mistakes(open) {
        const page = await open();
        const seen = {};
        const alert = async () => (await page.getByRole("alert").textContent());
        await page.goto(url);
        await page.getByLabel("Your name").fill("Ann");
        await fillServer(page, "http://127.0.0.1:9");
        await page.getByRole("button", { name: "Join the chat" }).click();
        await page.getByText("does not answer").waitFor();
        seen.elsewhere = await alert();
        await fillServer(page, new URL(url).origin);
        await page.route("**/chat-token", (route) => route.fulfill({ status: 403, json: { errorMessage: "Guests may not come in." } }));
        await page.getByRole("button", { name: "Join the chat" }).click();
        await page.getByText("may not come in").waitFor();
        seen.refused = await alert();
        await shoot(page, "mistake");
        await page.unroute("**/chat-token");
        await page.route("**/chat-token", async (route) => {
            const answer = await route.fetch();
            const body = await answer.json();
            await route.fulfill({ json: { ...body, chatToken: body.chatToken.slice(0, -5) + "AAAAA" } });
        });
        await page.getByRole("button", { name: "Join the chat" }).click();
        await page.getByText("does not accept").waitFor();
        seen.forged = await alert();
        return seen;
    },

    // The policy is in force: what would be inline is not run.
    async policy(open) {
        const page = await open();
        await page.goto(url);
        return page.evaluate(async () => {
            const violations = [];
            document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
            const attempt = (make) => {
                try {
                    make();
                } catch {
                    violations.push("threw");
                }
            };
            attempt(() => {
                const script = document.createElement("script");
                script.src = "data:text/javascript,window.bad=1";
                document.head.append(script);
            });
            attempt(() => document.body.setAttribute("style", "color: red"));
            attempt(() => document.body.insertAdjacentHTML("beforeend", "<b>x</b>"));
            await fetch("http://127.0.0.1:9/").catch(() => {});
            await new Promise((done) => setTimeout(done, 100));
            return { violations, bad: "bad" in window };
        });
    },
};

await withBrowser(folder, async (open, complaints) => {
    const seen = await scenarios[scenario](open);
    console.log(JSON.stringify({ ...seen, complaints }));
});

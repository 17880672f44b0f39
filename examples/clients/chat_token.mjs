// SPDX-License-Identifier: MIT
//
// A chat token, with Node (18 or newer).  usage: node chat_token.mjs member ID | guest [NAME]
// From the environment: MEMBERCHAT_URL, MEMBERCHAT_API_KEY, MEMBERCHAT_API_SECRET.
// Prints the answer.  Exit 0: a token; 1: refused, with errorCode on stderr; 2: no answer; 64: wrong arguments.
// For your application server: a page in a browser must not have the secret.
import { setTimeout as sleep } from "node:timers/promises";

const TRIES = 3;
const LONGEST_WAIT = 10; // seconds; longer is not worth waiting for

/** errorCode says what is wrong, for programs; "HTTP 502" and the like if something else answered. */
export class MemberchatError extends Error {
    constructor(errorCode, message) {
        super(message);
        this.errorCode = errorCode;
    }
}

export class Memberchat {
    #url;
    #authorization;

    constructor(url, key, secret) {
        this.#url = `${url.replace(/\/+$/, "")}/v2/apps/me/members/`;
        this.#authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString("base64")}`;
    }

    memberToken(id) {
        return this.#ask(`${encodeURIComponent(id)}/chat-tokens`, "");
    }

    /** guest may have appUserId, appUserName, appUserProfileImgUrl and accessToken. */
    guestToken(guest = {}) {
        return this.#ask("guest-chat-tokens", JSON.stringify(guest));
    }

    async #ask(path, body) {
        for (let tries = 1; ; tries++) {
            const response = await fetch(this.#url + path, {
                method: "POST",
                body,
                headers: { "Authorization": this.#authorization, "Content-Type": "application/json" },
                signal: AbortSignal.timeout(10_000),
            });
            const answer = await response.json().catch(() => ({}));
            if (response.status === 200) {
                return answer;
            }
            const wait = Number(response.headers.get("Retry-After") ?? 1);
            if (![429, 503].includes(response.status) || tries === TRIES || !(wait <= LONGEST_WAIT)) {
                throw new MemberchatError(answer.errorCode ?? `HTTP ${response.status}`,
                    answer.errorMessage ?? "the answer is not from memberchat");
            }
            await sleep(1000 * wait);
        }
    }
}

async function main([kind, value, ...more]) {
    const { MEMBERCHAT_URL, MEMBERCHAT_API_KEY, MEMBERCHAT_API_SECRET } = process.env;
    const memberchat = new Memberchat(MEMBERCHAT_URL, MEMBERCHAT_API_KEY, MEMBERCHAT_API_SECRET);
    if (more.length > 0 || !(kind === "guest" || (kind === "member" && value !== undefined))) {
        console.error("usage: node chat_token.mjs member ID | guest [NAME]");
        return 64;
    }
    try {
        const token = kind === "member" ? await memberchat.memberToken(value)
            : await memberchat.guestToken(value === undefined ? {} : { appUserName: value });
        console.log(JSON.stringify(token));
        return 0;
    } catch (error) {
        const refused = error instanceof MemberchatError;
        console.error(refused ? `${error.errorCode}: ${error.message}` : String(error.cause ?? error));
        return refused ? 1 : 2;
    }
}

process.exitCode = await main(process.argv.slice(2));

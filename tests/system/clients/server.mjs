// SPDX-License-Identifier: MIT
// An application server, as it asks for tokens for its users: gaxios; a member token with
// no body at all, a guest token with a JSON body.
// Usage: node server.mjs BASE_URL API_KEY API_SECRET MEMBER_ID
import { request } from "gaxios";

const [baseURL, key, secret, memberId] = process.argv.slice(2);
const headers = {
    "Content-Type": "application/json",
    Authorization: "Basic " + Buffer.from(`${key}:${secret}`).toString("base64"),
};

const post = async (path, data) => {
    const answer = await request({
        method: "POST", url: `${baseURL}/v2/apps/me/members/${path}`, headers, data,
        responseType: "json", validateStatus: () => true,
    });
    return { status: answer.status, data: answer.data };
};

console.log(JSON.stringify({
    member: await post(`${encodeURIComponent(memberId)}/chat-tokens`),
    guest: await post("guest-chat-tokens", { appUserId: "g1", appUserName: "Anna" }),
    nobody: await post("000000000000000000000000/chat-tokens"),
}));

// SPDX-License-Identifier: MIT
// A page in a browser, as its chat client asks for a guest token: axios, {} as the body,
// Basic credentials, cross-origin.  The preflight that a browser would send is sent here.
// Usage: node page.mjs BASE_URL API_KEY API_SECRET ORIGIN
import axios from "axios";

const [baseURL, username, password, origin] = process.argv.slice(2);
const path = "/v2/apps/me/members/guest-chat-tokens";
const api = axios.create({ baseURL, validateStatus: () => true, headers: { Origin: origin } });

// What a browser does with the answers to a preflight and to the request itself.
const allows = (answer) => ["*", origin].includes(answer.headers["access-control-allow-origin"]);
const lists = (answer, header, word) =>
    (answer.headers[header] ?? "").toLowerCase().split(/\s*,\s*/).includes(word);

const preflight = await api.options(path, {
    headers: {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    },
});
const passed = [200, 204].includes(preflight.status) && allows(preflight) &&
    lists(preflight, "access-control-allow-headers", "authorization") &&
    lists(preflight, "access-control-allow-headers", "content-type");
if (!passed) {
    console.log(JSON.stringify({ blocked: "preflight", status: preflight.status }));
    process.exit(0);
}
const answer = await api.post(path, {}, {
    auth: { username, password },
    headers: { "Content-Type": "application/json" },
});
console.log(JSON.stringify(
    allows(answer) ? { status: answer.status, data: answer.data } : { blocked: "answer", status: answer.status }));

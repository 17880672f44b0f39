// SPDX-License-Identifier: MIT
// A page that asks for a guest token by itself, in a browser: node cors.mjs FOLDER PAGE API KEY SECRET.
// Asks with axios, as the family's own client does, and with fetch.  Prints what the page got, as JSON.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { withBrowser } from "./browser.mjs";

const [folder, url, api, username, password] = process.argv.slice(2);
const axios = join(dirname(createRequire(import.meta.url).resolve("axios/package.json")), "dist/axios.min.js");

await withBrowser(folder, async (open, complaints) => {
    const page = await open();
    await page.goto(url);
    await page.addScriptTag({ path: axios });
    const seen = await page.evaluate(async ({ target, auth }) => {
        const result = {};
        try {
            const answer = await window.axios.post(target, {}, { auth, headers: { "Content-Type": "application/json" } });
            result.axios = { status: answer.status, body: answer.data };
        } catch (error) {
            result.axios = { status: error.response?.status ?? 0, code: error.code };
        }
        try {
            const answer = await fetch(target, {
                method: "POST", body: "{",
                headers: { Authorization: `Basic ${btoa(`${auth.username}:${auth.password}`)}`, "Content-Type": "application/json" },
            });
            result.mistake = { status: answer.status, body: await answer.json() };
        } catch (error) {
            result.mistake = { status: 0, code: error.name };
        }
        return result;
    }, { target: api, auth: { username, password } });
    console.log(JSON.stringify({ ...seen, complaints }));
});

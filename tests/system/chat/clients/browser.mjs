// SPDX-License-Identifier: MIT
// A headless Chromium, and what the pages in it complained of.
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

/** Calls use(open, complaints); open(options) is a page in a context of its own, as another person's browser. */
export async function withBrowser(folder, use) {
    const home = await mkdtemp(join(folder, "chromium-"));
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM, args: [...QUIET, `--crash-dumps-dir=${home}`],
        env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
    });
    const complaints = [];
    const open = async (options = {}) => {
        const context = await browser.newContext(options);
        const page = await context.newPage();
        page.setDefaultTimeout(30000);
        page.on("pageerror", (error) => complaints.push(String(error)));
        page.on("console", (message) => {
            if (["error", "warning"].includes(message.type())) {
                complaints.push(message.text());
            }
        });
        return page;
    };
    try {
        return await use(open, complaints);
    } finally {
        await browser.close();
        await rm(home, { recursive: true, force: true });
    }
}

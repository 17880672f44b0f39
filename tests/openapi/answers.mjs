// SPDX-License-Identifier: MIT
// node answers.mjs OPENAPI ANSWERS: holds recorded answers, a line of JSON each, against the description.
// Prints each answer that does not fit, and "N passed, N failed".
import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const [description, answers] = process.argv.slice(2);
const api = JSON.parse(readFileSync(description, "utf8"));
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(api, "api");

const resolve = (node) => (node.$ref ? node.$ref.slice(2).split("/").reduce((at, key) => at[key], api) : node);
const routes = Object.entries(api.paths).map(([path, item]) => ({
    path, item, pattern: new RegExp(`${path.replaceAll(/[.]/g, "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
}));

/** ASCII escapes only: that is enough to see a route. */
const decode = (path) => path.replaceAll(/%([2-7][0-9A-Fa-f])/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));

/** As web servers and memberchat see a path: under any mount, without query and empty segments. */
function routeOf(path) {
    const plain = path.split(/[?#]/)[0].replaceAll(/\/+/g, "/");
    return routes.find(({ pattern }) => pattern.test(plain)) ?? routes.find(({ pattern }) => pattern.test(decode(plain)));
}

const validators = new Map();
function validate(schema, value) {
    const key = JSON.stringify(schema).replaceAll("#/", "api#/");
    if (!validators.has(key)) {
        validators.set(key, ajv.compile(JSON.parse(key)));
    }
    const check = validators.get(key);
    return check(value) ? null : ajv.errorsText(check.errors);
}

/** What is wrong with an answer, or null. */
function fault({ method, path, status, headers, body }) {
    const route = routeOf(path);
    const operation = route?.item[method.toLowerCase()];
    const expected = operation?.responses[status] ??
        (status === 404 ? api.components.responses.NotFound : null) ??
        (!operation && route && status === 405 ? api.components.responses.MethodNotAllowed : null);
    if (!expected) {
        return `${status} is not described for ${method} ${route?.path ?? "this path"}`;
    }
    const response = resolve(expected);
    for (const name of ["WWW-Authenticate", "Allow", "Retry-After", "X-Request-Id"]) {
        const wanted = response.headers?.[name];
        if (wanted && !headers[name.toLowerCase()]) {
            return `${name} is missing`;
        }
    }
    if (method === "HEAD" || !response.content) {
        return body === "" || method === "HEAD" ? null : "it has a body";
    }
    const type = String(headers["content-type"]).split(";")[0];
    const media = response.content[type];
    if (!media) {
        return `its type is ${headers["content-type"]}`;
    }
    return validate(media.schema, type === "application/json" ? JSON.parse(body) : body);
}

let passed = 0, failed = 0;
const seen = new Set();
for (const line of readFileSync(answers, "utf8").split("\n").filter(Boolean)) {
    const answer = JSON.parse(line);
    const wrong = fault(answer);
    wrong ? failed++ : passed++;
    seen.add(`${answer.method} ${routeOf(answer.path)?.path ?? "elsewhere"} ${answer.status}`);
    if (wrong && failed <= 20) {
        console.log(`not ok - ${answer.method} ${answer.path}: ${wrong}: ${answer.body.slice(0, 200)}`);
    }
}
for (const [path, item] of Object.entries(api.paths)) { // an operation that no test has used shows nothing
    for (const method of Object.keys(item).filter((name) => ["get", "head", "post", "options"].includes(name))) {
        if (![...seen].some((name) => name.startsWith(`${method.toUpperCase()} ${path} `))) {
            failed++;
            console.log(`not ok - no test asked ${method.toUpperCase()} ${path}`);
        }
    }
}
console.log([...seen].sort().map((name) => `# ${name}`).join("\n"));
console.log(`# ${passed} answers`);
console.log(`${failed ? 0 : seen.size} passed, ${failed} failed`); // a test for each kind of answer
process.exitCode = failed ? 1 : 0;

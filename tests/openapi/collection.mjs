// SPDX-License-Identifier: MIT
// node collection.mjs COLLECTION: holds the Postman collection against Postman's own schema.
// Prints what does not fit, and "N passed, N failed".
import { readFileSync } from "node:fs";
import Ajv from "ajv";

const schema = JSON.parse(readFileSync(new URL("postman-2.1.0.schema.json", import.meta.url), "utf8"));
const ajv = new Ajv({ strict: false, allErrors: true });
const check = ajv.compile(schema);
const good = check(JSON.parse(readFileSync(process.argv[2], "utf8")));
if (!good) {
    console.log(`not ok - ${process.argv[2]}: ${ajv.errorsText(check.errors, { separator: "\n# " })}`);
}
console.log(good ? "1 passed, 0 failed" : "0 passed, 1 failed");
process.exitCode = good ? 0 : 1;

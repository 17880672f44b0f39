// SPDX-License-Identifier: MIT
// npm's jose, to check our tokens and to make some of its own.  Reads a list of jobs, as JSON,
// from standard input and prints the list of results:
//   {verify: TOKEN, keys: JWKS or JWK, algorithm, issuer, audience}  ->  {header, claims} or {error}
//   {sign: CLAIMS, key: private JWK, header}                         ->  {token}
import { text } from "node:stream/consumers";
import { SignJWT, createLocalJWKSet, importJWK, jwtVerify } from "jose";

async function verify({ verify: token, keys, algorithm, issuer, audience }) {
    const key = keys.keys ? createLocalJWKSet(keys) : await importJWK(keys, algorithm);
    try {
        const { protectedHeader, payload } =
            await jwtVerify(token, key, { algorithms: [algorithm], issuer, audience, requiredClaims: ["exp"] });
        return { header: protectedHeader, claims: payload };
    } catch (error) {
        return { error: error.code };
    }
}

async function sign({ sign: claims, key, header }) {
    return { token: await new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(key, header.alg)) };
}

const jobs = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(await Promise.all(jobs.map((job) => (job.verify ? verify(job) : sign(job))))));

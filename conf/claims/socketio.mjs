// SPDX-License-Identifier: MIT
// Middleware for a Socket.IO server that takes tokens by socketio.json; needs npm's jose.
// A client sends the chatToken as auth.token:  io(url, { auth: { token } })
//
//   import { memberchat } from "./socketio.mjs";
//   io.use(memberchat("https://www.example.com/chat-api/.well-known/jwks.json", "my-app"));
import { createRemoteJWKSet, jwtVerify } from "jose";

const ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA"];

export function memberchat(jwksUrl, audience, issuer = "memberchat") {
    const keys = createRemoteJWKSet(new URL(jwksUrl));
    return async (socket, next) => {
        try {
            const { payload } = await jwtVerify(socket.handshake.auth.token, keys,
                { audience, issuer, algorithms: ALGORITHMS, requiredClaims: ["exp", "sub"] });
            socket.data.user = payload.user;
            await socket.join(payload.rooms);
            const left = payload.exp * 1000 - Date.now();
            const timer = setTimeout(() => socket.disconnect(true), Math.min(left, 2 ** 31 - 1));
            socket.on("disconnect", () => clearTimeout(timer));
            next();
        } catch {
            next(new Error("the token is not good"));
        }
    };
}

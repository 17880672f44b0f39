// SPDX-License-Identifier: MIT
// tsc --noEmit: what a client writes with the types of the API, and what they must refuse.
import type { ChatToken, ErrorAnswer, ErrorCode, GuestRequest, KeySet, Operations } from "./memberchat";

type Guest = Operations["issueGuestChatToken"];
type Member = Operations["issueMemberChatToken"];

const method: Guest["method"] = "POST";
const path: Member["path"] = "/v2/apps/me/members/{appUserId}/chat-tokens";
const id: Member["parameters"]["appUserId"] = "2";
const body: GuestRequest = { appUserName: "Anna", appUserProfileImgUrl: null };
const empty: NonNullable<Guest["body"]> = {};

function nameOf(token: ChatToken): string {
    return token.userName ?? token.userId;
}

function isOver(token: Guest["responses"][200]): boolean {
    return (token.expiresIn ?? 0) < 1;
}

function canRetry(error: ErrorAnswer): boolean {
    const codes: ErrorCode[] = ["MEMBER_STORE_UNAVAILABLE"];
    return codes.includes(error.errorCode);
}

function isDown(error: Member["responses"][503]): "MEMBER_STORE_UNAVAILABLE" {
    return error.errorCode;
}

function kidsOf(set: KeySet): string[] {
    return set.keys.map((key) => key.kid);
}

// @ts-expect-error: a number is not an id
const wrongId: GuestRequest = { appUserId: 7 };
// @ts-expect-error: there is no such field
const unknownField: GuestRequest = { userName: "Anna" };
// @ts-expect-error: null must be dealt with
const wrongName = (token: ChatToken): string => token.userName;
// @ts-expect-error: there is no such code
const wrongCode: ErrorCode = "NO_SUCH_CODE";
// @ts-expect-error: a member's token needs no body
type WrongBody = Member["body"];

export { method, path, id, body, empty, nameOf, isOver, canRetry, isDown, kidsOf };
export { wrongId, unknownField, wrongName, wrongCode };
export type { WrongBody };

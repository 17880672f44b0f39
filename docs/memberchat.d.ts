// SPDX-License-Identifier: MIT
// Types of the memberchat API.  Made from docs/openapi.json by tools/api/typescript.py; do not edit.

/** Fields with other names are ignored. */
export interface GuestRequest {
    /** The guest's id. Default: a new one. */
    appUserId?: string | null;
    /** At most 256 bytes. Default: GUEST_ and the id. */
    appUserName?: string | null;
    /** At most 2048 bytes. Default: null. */
    appUserProfileImgUrl?: string | null;
    /** An earlier token of this guest, or a JWT of the issuer that the app trusts. */
    accessToken?: string | null;
}

export interface ChatToken {
    /** The chat server to connect to. */
    chatServerWebSocketUrl: string;
    /** The signed token (JWT). */
    chatToken: string;
    appId: string;
    /** The member's id as the directory spells it; a guest's id with the app's prefix. */
    userId: string;
    userName: string | null;
    avatarProfileUrl: string | null;
    /** Only with `extended_response`. */
    expiresAt?: string;
    /** Seconds. Only with `extended_response`. */
    expiresIn?: number;
}

export interface ErrorBody {
    /** For programs. */
    errorCode: string;
    /** For people. */
    errorMessage: string;
    [name: string]: unknown;
}

export interface KeySet {
    keys: Array<{
        kty: "EC" | "RSA" | "OKP";
        kid: string;
        alg: string;
        use: "sig";
        d?: never;
        k?: never;
    }>;
}

/** What /status shows. */
export interface Status {
    version: string;
    time: string | null;
    /** Empty when nothing is. */
    wrong: Array<{
        what: string;
        remedy: string;
    }>;
    stores: Array<{
        name: string;
        state: "not asked yet" | "up" | "down" | "misconfigured";
        since: string | null;
        lookups: number;
        found: number;
        notFound: number;
        unavailable: number;
        misconfigured: number;
        medianMs: number;
        p99Ms: number;
        cacheHits: number;
        cacheMisses: number;
        cacheStale: number;
        cacheEntries: number;
        breakerOpenSince: string | null;
        members: number | null;
    }>;
    /** The app without a name has the refusals of credentials that name none. */
    apps: Array<{
        name: string;
        guests: number;
        members: number;
        guestsToday: number;
        membersToday: number;
        /** The last 24 hours; the present one is the last. */
        guestsByHour: Array<number>;
        /** The last 24 hours; the present one is the last. */
        membersByHour: Array<number>;
        throttled: number;
        /** By errorCode. */
        refusals: {
            [name: string]: unknown;
        };
    }>;
    processes: Array<{
        pid: number;
        version: string;
        since: string | null;
        resident: boolean;
        threads: number;
        busy: number;
        inFlight: number;
        reloads: number;
        lastReloadSuccessful: boolean;
        loaded: string | null;
    }>;
    /** Keys and certificates. */
    files: Array<{
        owner: string;
        what: string;
        changed: string | null;
        /** Of certificates. */
        expires: string | null;
    }>;
    refusals: Array<{
        time: string | null;
        app: string;
        reason: string;
        requestId: string;
        /** Only with `status.show_ids`. */
        id?: string | null;
    }>;
}

/** What `errorCode` can be. */
export type ErrorCode =
    | "EMPTY_APP_CREDENTIALS"
    | "GUESTS_NOT_ALLOWED"
    | "INTERNAL_SERVER_ERROR"
    | "INVALID_ACCESS_TOKEN"
    | "INVALID_APP_CREDENTIALS"
    | "INVALID_APP_USER_ID_FORMAT"
    | "INVALID_HTTP_MESSAGE_BODY"
    | "INVALID_STATUS_PASSWORD"
    | "MEMBER_DENIED"
    | "MEMBER_NOT_FOUND"
    | "MEMBER_STORE_UNAVAILABLE"
    | "REQUEST_TOO_LARGE"
    | "RESOURCE_NOT_FOUND"
    | "TOO_MANY_REQUESTS"
    | "UNSUPPORTED_HTTP_METHOD"
    | "UNSUPPORTED_MEDIA_TYPE";

/** The body of an error, with the codes that it can have. */
export type ErrorAnswer<Code extends ErrorCode = ErrorCode> = ErrorBody & { errorCode: Code };

/** Each operation by its operationId. */
export interface Operations {
    /** Issue a chat token for a guest */
    issueGuestChatToken: {
        method: "POST";
        path: "/v2/apps/me/members/guest-chat-tokens";
        body?: GuestRequest;
        responses: {
            200: ChatToken;
            400: ErrorAnswer<"INVALID_APP_USER_ID_FORMAT" | "INVALID_HTTP_MESSAGE_BODY">;
            401: ErrorAnswer<"EMPTY_APP_CREDENTIALS" | "INVALID_APP_CREDENTIALS" | "INVALID_ACCESS_TOKEN">;
            403: ErrorAnswer<"GUESTS_NOT_ALLOWED" | "MEMBER_DENIED">;
            404: ErrorAnswer<"MEMBER_NOT_FOUND" | "RESOURCE_NOT_FOUND">;
            405: ErrorAnswer<"UNSUPPORTED_HTTP_METHOD">;
            413: ErrorAnswer<"REQUEST_TOO_LARGE">;
            415: ErrorAnswer<"UNSUPPORTED_MEDIA_TYPE">;
            429: ErrorAnswer<"TOO_MANY_REQUESTS">;
            500: ErrorAnswer<"INTERNAL_SERVER_ERROR">;
            503: ErrorAnswer<"MEMBER_STORE_UNAVAILABLE">;
        };
    };
    /** Ask which methods and origins are allowed for guests */
    guestChatTokenOptions: {
        method: "OPTIONS";
        path: "/v2/apps/me/members/guest-chat-tokens";
        responses: {
            204: undefined;
            404: ErrorAnswer<"MEMBER_NOT_FOUND" | "RESOURCE_NOT_FOUND">;
            413: ErrorAnswer<"REQUEST_TOO_LARGE">;
            500: ErrorAnswer<"INTERNAL_SERVER_ERROR">;
        };
    };
    /** Issue a chat token for a member */
    issueMemberChatToken: {
        method: "POST";
        path: "/v2/apps/me/members/{appUserId}/chat-tokens";
        parameters: {
            /** The member's id in your directory, percent-encoded. */
            appUserId: string;
        };
        responses: {
            200: ChatToken;
            401: ErrorAnswer<"EMPTY_APP_CREDENTIALS" | "INVALID_APP_CREDENTIALS" | "INVALID_ACCESS_TOKEN">;
            403: ErrorAnswer<"GUESTS_NOT_ALLOWED" | "MEMBER_DENIED">;
            404: ErrorAnswer<"MEMBER_NOT_FOUND" | "RESOURCE_NOT_FOUND">;
            405: ErrorAnswer<"UNSUPPORTED_HTTP_METHOD">;
            413: ErrorAnswer<"REQUEST_TOO_LARGE">;
            429: ErrorAnswer<"TOO_MANY_REQUESTS">;
            500: ErrorAnswer<"INTERNAL_SERVER_ERROR">;
            503: ErrorAnswer<"MEMBER_STORE_UNAVAILABLE">;
        };
    };
    /** Ask which methods and origins are allowed for members */
    memberChatTokenOptions: {
        method: "OPTIONS";
        path: "/v2/apps/me/members/{appUserId}/chat-tokens";
        parameters: {
            /** The member's id in your directory, percent-encoded. */
            appUserId: string;
        };
        responses: {
            204: undefined;
            404: ErrorAnswer<"MEMBER_NOT_FOUND" | "RESOURCE_NOT_FOUND">;
            413: ErrorAnswer<"REQUEST_TOO_LARGE">;
            500: ErrorAnswer<"INTERNAL_SERVER_ERROR">;
        };
    };
    /** Get the public keys of all apps */
    getKeys: {
        method: "GET";
        path: "/.well-known/jwks.json";
        responses: {
            200: KeySet;
            304: undefined;
            404: ErrorAnswer<"MEMBER_NOT_FOUND" | "RESOURCE_NOT_FOUND">;
            405: ErrorAnswer<"UNSUPPORTED_HTTP_METHOD">;
            413: ErrorAnswer<"REQUEST_TOO_LARGE">;
            500: ErrorAnswer<"INTERNAL_SERVER_ERROR">;
        };
    };
    /** Get the public keys of all apps (headers only) */
    getKeysHead: {
        method: "HEAD";
        path: "/.well-known/jwks.json";
        responses: {
            200: undefined;
            304: undefined;
            404: undefined;
            405: undefined;
            413: undefined;
            500: undefined;
        };
    };
    /** Get this description */
    getDescription: {
        method: "GET";
        path: "/openapi.json";
        responses: {
            200: {
                openapi: string;
            };
            404: ErrorAnswer<"MEMBER_NOT_FOUND" | "RESOURCE_NOT_FOUND">;
            405: ErrorAnswer<"UNSUPPORTED_HTTP_METHOD">;
            413: ErrorAnswer<"REQUEST_TOO_LARGE">;
            500: ErrorAnswer<"INTERNAL_SERVER_ERROR">;
        };
    };
    /** Get this description (headers only) */
    getDescriptionHead: {
        method: "HEAD";
        path: "/openapi.json";
        responses: {
            200: undefined;
            404: undefined;
            405: undefined;
            413: undefined;
            500: undefined;
        };
    };
    /** Ask whether the process is alive */
    getHealth: {
        method: "GET";
        path: "/healthz";
        responses: {
            200: "ok";
            404: ErrorAnswer<"MEMBER_NOT_FOUND" | "RESOURCE_NOT_FOUND">;
            405: ErrorAnswer<"UNSUPPORTED_HTTP_METHOD">;
            413: ErrorAnswer<"REQUEST_TOO_LARGE">;
            500: ErrorAnswer<"INTERNAL_SERVER_ERROR">;
        };
    };
    /** Ask whether the process is alive (headers only) */
    getHealthHead: {
        method: "HEAD";
        path: "/healthz";
        responses: {
            200: undefined;
            404: undefined;
            405: undefined;
            413: undefined;
            500: undefined;
        };
    };
    /** Ask whether all stores answer */
    getReadiness: {
        method: "GET";
        path: "/readyz";
        responses: {
            200: "ok";
            404: ErrorAnswer<"MEMBER_NOT_FOUND" | "RESOURCE_NOT_FOUND">;
            405: ErrorAnswer<"UNSUPPORTED_HTTP_METHOD">;
            413: ErrorAnswer<"REQUEST_TOO_LARGE">;
            500: ErrorAnswer<"INTERNAL_SERVER_ERROR">;
            503: "unavailable";
        };
    };
    /** Ask whether all stores answer (headers only) */
    getReadinessHead: {
        method: "HEAD";
        path: "/readyz";
        responses: {
            200: undefined;
            404: undefined;
            405: undefined;
            413: undefined;
            500: undefined;
            503: undefined;
        };
    };
    /** Get the figures for Prometheus */
    getMetrics: {
        method: "GET";
        path: "/metrics";
        responses: {
            200: string;
            401: ErrorAnswer<"INVALID_STATUS_PASSWORD">;
            404: ErrorAnswer<"MEMBER_NOT_FOUND" | "RESOURCE_NOT_FOUND">;
            405: ErrorAnswer<"UNSUPPORTED_HTTP_METHOD">;
            413: ErrorAnswer<"REQUEST_TOO_LARGE">;
            429: ErrorAnswer<"TOO_MANY_REQUESTS">;
            500: ErrorAnswer<"INTERNAL_SERVER_ERROR">;
        };
    };
    /** Get the figures for Prometheus (headers only) */
    getMetricsHead: {
        method: "HEAD";
        path: "/metrics";
        responses: {
            200: undefined;
            401: undefined;
            404: undefined;
            405: undefined;
            413: undefined;
            500: undefined;
        };
    };
    /** See how memberchat does */
    getStatus: {
        method: "GET";
        path: "/status";
        parameters: {
            /** JSON instead of a page; its value does not matter. */
            json?: string;
        };
        responses: {
            200: Status;
            401: ErrorAnswer<"INVALID_STATUS_PASSWORD">;
            404: ErrorAnswer<"MEMBER_NOT_FOUND" | "RESOURCE_NOT_FOUND">;
            405: ErrorAnswer<"UNSUPPORTED_HTTP_METHOD">;
            413: ErrorAnswer<"REQUEST_TOO_LARGE">;
            429: ErrorAnswer<"TOO_MANY_REQUESTS">;
            500: ErrorAnswer<"INTERNAL_SERVER_ERROR">;
        };
    };
    /** See how memberchat does (headers only) */
    getStatusHead: {
        method: "HEAD";
        path: "/status";
        parameters: {
            /** JSON instead of a page; its value does not matter. */
            json?: string;
        };
        responses: {
            200: undefined;
            401: undefined;
            404: undefined;
            405: undefined;
            413: undefined;
            500: undefined;
        };
    };
}

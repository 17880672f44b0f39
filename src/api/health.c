/* SPDX-License-Identifier: MIT */
#include "health.h"

/* The share of the look-ups at once that may wait for an answer that another request gets: all of
 * them would wait in vain for a store that hangs. */
#define WAITING_SHARE 4

/* The share of request_timeout that a store has for its answer, however long the request that asks
 * has waited for its turn: others are told that answer, too. */
#define PROBING_SHARE 2

static enum outcome answer(struct exchange *exchange, int status, const char *word)
{
    exchange->response->status = status;
    bytes_add_json(&exchange->response->body, span_of(word));
    return OUTCOME_ANSWERED;
}

enum outcome health_live(struct exchange *exchange)
{
    return answer(exchange, 200, "ok");
}

enum outcome health_ready(struct exchange *exchange)
{
    const struct settings *settings = exchange->settings;
    for (size_t i = 0; i < settings->store_count; i++) {
        struct directory_answer answered = directory_probe(
            settings->stores[i].directory, exchange->request->deadline,
            settings->top.request_timeout_ms / PROBING_SHARE, exchange->request->gate,
            (unsigned)settings->top.threads / WAITING_SHARE);
        if (answered.outcome == DIRECTORY_BUSY)
            return OUTCOME_BUSY;
        if (answered.outcome != MEMBERCHAT_FOUND)
            return answer(exchange, 503, "unavailable");
    }
    return answer(exchange, 200, "ok");
}

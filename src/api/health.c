/* SPDX-License-Identifier: MIT */
#include "health.h"

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
            settings->stores[i].directory, exchange->request->deadline, exchange->request->gate);
        if (answered.outcome == DIRECTORY_BUSY)
            return OUTCOME_BUSY;
        if (answered.outcome != MEMBERCHAT_FOUND)
            return answer(exchange, 503, "unavailable");
    }
    return answer(exchange, 200, "ok");
}

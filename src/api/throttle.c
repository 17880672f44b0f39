/* SPDX-License-Identifier: MIT */
#include "throttle.h"

#include "client.h"
#include "figures/figures.h"
#include "throttle_table.h"

#include "base/clock.h"

#include <string.h>

#define MINUTE_MS 60000

/* What identifies a client: its IPv4 address, or the /64 of its IPv6 address, since a client has
 * the whole network. */
static void add_client(struct bytes *key, const struct exchange *exchange)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char buffer[CLIENT_ADDRESS_SIZE];
    struct network network;
    const char *address = client_address(exchange->settings, exchange->request, buffer);
    if (!network_parse(address, &network) || network.bits != 128)
        bytes_add_string(key, address);
    else
        bytes_add(key, (const char *)network.address,
                  memcmp(network.address, mapped, sizeof mapped) == 0 ? 16 : 8);
}

/* ---- Wrong credentials ---- */

/* What was guessed at; 0: an unknown key. */
static uint64_t hash_target(struct throttle_table *table, const struct exchange *exchange)
{
    if (exchange->named)
        return throttle_table_hash(table, 'k', span_of(exchange->named->settings.api_key));
    bool status = exchange->route.kind == ROUTE_METRICS || exchange->route.kind == ROUTE_STATUS;
    return status ? throttle_table_hash(table, 's', span_of("status")) : 0;
}

bool throttle_wrong_credentials(struct exchange *exchange)
{
    const struct limit_settings *limits = &exchange->settings->limits;
    const struct throttle_limit limit = {limits->failures, limits->failure_window_ms};
    struct throttle_table *table = figures_throttle();
    const struct app *app = exchange->named;
    if (!table || !limit.most)
        return false;
    char memory[CLIENT_ADDRESS_SIZE];
    struct bytes client = bytes_within(memory, sizeof memory);
    add_client(&client, exchange);
    uint64_t by_client = throttle_table_hash(table, 'c', bytes_span(&client));
    uint64_t by_key = hash_target(table, exchange);
    int64_t now = clock_monotonic_ms();
    int64_t delay = throttle_table_delay(table, by_client, now);
    int64_t key_delay = throttle_table_delay(table, by_key, now);
    exchange->retry_after_ms = delay > key_delay ? delay : key_delay;
    if (exchange->retry_after_ms) {
        figures_count_throttled(app ? app->id : "");
        return true;
    }
    throttle_table_fail(table, by_client, &limit, now);
    throttle_table_fail(table, by_key, &limit, now);
    return false;
}

/* ---- Tokens ---- */

static bool count_token(struct exchange *exchange, bool take)
{
    const struct limit_settings *limits = &exchange->settings->limits;
    const struct throttle_limit limit = {limits->tokens_per_minute, MINUTE_MS};
    struct throttle_table *table = figures_throttle();
    struct exchange_rate *rate = &exchange->rate;
    if (!table || !limit.most)
        return true;
    char memory[256];
    struct bytes key = bytes_within(memory, sizeof memory);
    bytes_add_string(&key, exchange->app->id);
    if (limits->per == LIMIT_PER_ADDRESS) {
        bytes_add(&key, "", 1); /* in no app's name */
        add_client(&key, exchange);
    }
    struct throttle_left left;
    uint64_t hash = throttle_table_hash(table, 't', bytes_span(&key));
    bool some = throttle_table_take(table, hash, &limit, clock_monotonic_ms(), take, &left);
    *rate = (struct exchange_rate){true, left.count, left.reset_ms};
    if (!some) {
        exchange->retry_after_ms = left.reset_ms;
        figures_count_throttled(exchange->app->id);
        bytes_add_string(&exchange->message,
                         "As many tokens were issued as may be in a minute; try again later");
    }
    return some;
}

bool throttle_has_token(struct exchange *exchange)
{
    return count_token(exchange, false);
}

bool throttle_take_token(struct exchange *exchange)
{
    return count_token(exchange, true);
}

void throttle_add_headers(const struct exchange *exchange)
{
    const struct exchange_rate *rate = &exchange->rate;
    char memory[128];
    struct bytes text = bytes_within(memory, sizeof memory);
    if (!rate->counted)
        return;
    bytes_addf(&text, "\"tokens\";q=%lld;w=%d",
               (long long)exchange->settings->limits.tokens_per_minute, MINUTE_MS / 1000);
    http_add_header(exchange->response, "RateLimit-Policy", bytes_span(&text));
    bytes_reset(&text);
    bytes_addf(&text, "\"tokens\";r=%lld;t=%lld", (long long)rate->left,
               (long long)((rate->reset_ms + 999) / 1000));
    http_add_header(exchange->response, "RateLimit", bytes_span(&text));
}

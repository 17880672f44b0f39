/* SPDX-License-Identifier: MIT
 * A store with a stub behind it. */
#include "store_fixture.h"

#include "question.h"

#include <string.h>

struct stub stub;
struct store *store;
struct member member;
struct store_report told;

int store_start(void **state)
{
    memset(&stub, 0, sizeof stub);
    stub.flags = MEMBERCHAT_STORE_THREAD_SAFE;
    stub.outcome = MEMBERCHAT_FOUND;
    store = NULL;
    return scratch_start(state);
}

int store_stop(void **state)
{
    store_close(store);
    member_free(&member);
    return scratch_stop(state);
}

void open_stub(void)
{
    store = stub_store(&stub);
    expect(store_open(store, false, &told), "%s", told.reason);
}

enum memberchat_outcome look_up(const char *id)
{
    memset(&told, 'x', sizeof told);
    return store_lookup(store, QUESTION(span_of(id), 1000), &member, &told);
}

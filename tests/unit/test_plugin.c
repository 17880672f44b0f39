/* SPDX-License-Identifier: MIT
 * Loading store plugins: good ones, and each kind of bad one. */
#include "members/plugin.h"

#include "base/clock.h"
#include "question.h"
#include "members/store.h"
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct reason why;

static int stop(void **state)
{
    (void)state;
    return 0;
}

static void good_ones(void **state)
{
    (void)state;
    const struct memberchat_store_plugin *slow = plugin_load(test_plugins, "slow", &why);
    expect(slow, "%s", why.text);
    assert_string_equal(slow->name, "slow");
    assert_int_equal(slow->abi, MEMBERCHAT_STORE_ABI);
    assert_int_equal(slow->key_count, 3);
    assert_ptr_equal(plugin_load(test_plugins, "slow", &why), slow); /* loaded once */
    const struct memberchat_store_plugin *serial = plugin_load(test_plugins, "serial", &why);
    assert_non_null(serial);
    assert_int_equal(serial->flags & MEMBERCHAT_STORE_THREAD_SAFE, 0);
}

static void bad_ones(void **state)
{
    static const struct {
        const char *name, *told;
    } rows[] = {
        {"bad_nosymbol", "does not export memberchat_store_plugin()"},
        {"bad_null", "memberchat_store_plugin() returned nothing"},
        {"bad_newer_abi", "speaks version 2 of the plugin interface, this memberchat version 1"},
        {"bad_short_struct", "its plugin struct has"},
        {"bad_name", "calls itself \"good_name\", not \"bad_name\""},
        {"bad_keys", "its key \"cache\" has a name that belongs to memberchat"},
        {"bad_keys_outside", "its key \"size\" lies outside of the settings"},
        {"bad_keys_help", "its key \"size\" has no name or no help line"},
        {"bad_keys_type", "its key \"size\" has a type that does not exist"},
        {"bad_keys_choice", "its key \"size\" is a choice without choices"},
        {"bad_lookup", "it lacks version, summary, keys, open, lookup or close"},
        {"bad_keys_twice", "its key \"size\" is there twice"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(!plugin_load(test_plugins, rows[i].name, &why), "%s was taken", rows[i].name);
        expect_contains(why.text, rows[i].told);
        expect_contains(why.text, rows[i].name);
    }
}

static void parts_that_are_missing(void **state)
{
    static const char lacks[] = "it lacks version, summary, keys, open, lookup or close";
    static const char *const rows[][2] = {
        {"no name", "it calls itself \"\", not \"bad_chosen\""},
        {"no version", lacks},
        {"no summary", lacks},
        {"no open", lacks},
        {"no close", lacks},
        {"no keys", lacks},
        {"key without a name", "its key \"\" has no name or no help line"},
        {"key without a type", "its key \"size\" has a type that does not exist"},
        {"key far away", "its key \"size\" lies outside of the settings"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        setenv("MEMBERCHAT_BAD", rows[i][0], 1);
        expect(!plugin_load(test_plugins, "bad_chosen", &why), "%s was taken", rows[i][0]);
        expect_contains(why.text, rows[i][1]);
    }
}

static void opening_fails_without_a_reason(void **state)
{
    struct arena arena = {0};
    struct store_report told;
    (void)state;
    setenv("MEMBERCHAT_BAD", "open without a reason", 1);
    const struct memberchat_store_plugin *plugin = plugin_load(test_plugins, "bad_chosen", &why);
    assert_non_null(plugin);
    unsetenv("MEMBERCHAT_BAD");
    struct store *store =
        store_new("bad", plugin, arena_alloc(&arena, plugin->settings_size), NULL, &arena);
    assert_false(store_open(store, false, &told));
    assert_string_equal(told.reason,
                        "the store plugin \"bad_chosen\" refused to open, without a reason");
    store_close(store);
}

static const struct memberchat_store_plugin mine = {.name = "mine"};

static const struct memberchat_store_plugin *enter_mine(void)
{
    return &mine;
}

static void what_is_linked_in_is_not_looked_for(void **state)
{
    static const struct plugin_builtin builtins[] = {{"mine", enter_mine}, {NULL, NULL}};
    (void)state;
    plugin_set_builtins(builtins);
    assert_ptr_equal(plugin_load("/nowhere", "mine", &why), &mine);
    assert_true(plugin_is_builtin("mine"));
    assert_false(plugin_is_builtin("yours"));
    assert_null(plugin_load("/nowhere", "yours", &why));
    plugin_set_builtins(NULL);
    assert_false(plugin_is_builtin("mine"));
}

static void folders_that_are_odd(void **state)
{
    char name[64], *far = repeated('x', 5000);
    (void)state;
    assert_null(plugin_load(far, "slow", &why));
    expect_contains(why.text, "the path of the plugin folder is too long");
    free(far);
    assert_null(plugin_load(scratch_write("file", SPAN("")), "slow", &why));
    expect_contains(why.text, "/file/store_slow.so cannot be used: ");
    scratch_write("store_.so", SPAN(""));
    scratch_write("another.so", SPAN(""));
    scratch_write("store_text.txt", SPAN(""));
    assert_null(plugin_load(scratch_path("."), "slow", &why));
    expect_contains(why.text, ": none)");
    for (int i = 0; i < 30; i++) { /* more than there is room for */
        snprintf(name, sizeof name, "store_with_a_long_name_%d.so", i);
        scratch_write(name, SPAN(""));
    }
    assert_null(plugin_load(scratch_path("."), "slow", &why));
    expect_contains(why.text, "with_a_long_name_1");
}

static void names_that_are_none(void **state)
{
    static const char *const names[] = {
        "",
        "../slow",
        "/slow",
        "Slow",
        "slow.so",
        "a b",
        "sl\xc3\xb6w",
        "a2345678901234567890123456789012345678901234567890123456789012345"};
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_null(plugin_load(test_plugins, names[i], &why));
        expect_contains(why.text, "is not a valid name of a store plugin");
    }
}

static void plugins_that_are_not_there(void **state)
{
    (void)state;
    assert_null(plugin_load(test_plugins, "ldpa", &why));
    expect_contains(why.text, "there is no store plugin \"ldpa\" in this installation");
    expect_contains(why.text, "slow"); /* what there is instead */
    assert_null(plugin_load("/nowhere", "file", &why));
    expect_contains(why.text, "/nowhere: none); -L or MEMBERCHAT_PLUGIN_DIR names another folder");
}

static void no_shared_object(void **state)
{
    (void)state;
    scratch_write("store_text.so", SPAN("this is a text\n"));
    assert_null(plugin_load(scratch_path("."), "text", &why));
    expect_contains(why.text, "store_text.so cannot be used: ");
}

static struct store *open_store(const char *name)
{
    struct arena arena = {0};
    struct store_report told;
    const struct memberchat_store_plugin *plugin = plugin_load(test_plugins, name, &why);
    expect(plugin, "%s", why.text);
    void *settings = arena_alloc(&arena, plugin->settings_size + 1);
    struct store *store = store_new("bad", plugin, settings, NULL, &arena);
    expect(store_open(store, false, &told), "%s", told.reason);
    return store;
}

static void expect_outcome(struct store *store, const char *id, enum memberchat_outcome outcome,
                           const char *reason)
{
    struct member member = {0};
    struct store_report told;
    enum memberchat_outcome got = store_lookup(store, QUESTION(span_of(id), 1000), &member, &told);
    expect(got == outcome, "%s: %d (%s)", id, got, told.reason);
    expect_contains(told.reason, reason);
    member_free(&member);
}

/* What a careless or hostile store says costs an answer, never the host. */
static void bad_answers(void **state)
{
    (void)state;
    struct store *store = open_store("bad_outcome");
    expect_outcome(store, "zero", MEMBERCHAT_MISCONFIGURED, "the outcome 0, which does not exist");
    expect_outcome(store, "ninety-nine", MEMBERCHAT_MISCONFIGURED, "the outcome 99, which");
    expect_outcome(store, "7", MEMBERCHAT_FOUND, "");
    store_close(store);
    store = open_store("bad_result");
    expect_outcome(store, "no-id", MEMBERCHAT_MISCONFIGURED, "it has no id");
    expect_outcome(store, "huge-id", MEMBERCHAT_NOT_FOUND, "");
    expect_outcome(store, "bad-utf8", MEMBERCHAT_NOT_FOUND, "");
    expect_outcome(store, "someone-else", MEMBERCHAT_NOT_FOUND, "");
    expect_outcome(store, "control-name", MEMBERCHAT_FOUND, "");
    expect_outcome(store, "huge-attribute", MEMBERCHAT_FOUND, "");
    expect_outcome(store, "many", MEMBERCHAT_FOUND, "");
    expect_outcome(store, "7", MEMBERCHAT_FOUND, "");
    store_close(store);
}

static void opening_fails_with_a_reason(void **state)
{
    struct arena arena = {0};
    struct store_report told;
    (void)state;
    const struct memberchat_store_plugin *plugin = plugin_load(test_plugins, "bad_openfails", &why);
    assert_non_null(plugin);
    struct store *store =
        store_new("bad", plugin, arena_alloc(&arena, plugin->settings_size), NULL, &arena);
    assert_false(store_open(store, false, &told));
    assert_string_equal(told.reason, "the directory of this store is a fiction");
    store_close(store);
}

static void *visit(void *argument)
{
    struct store *store = argument;
    struct member member = {0};
    struct store_report told;
    for (int i = 0; i < 8; i++) {
        enum memberchat_outcome outcome =
            store_lookup(store, QUESTION(SPAN("7"), 10000), &member, &told);
        expect(outcome == MEMBERCHAT_FOUND, "%d: %s", outcome, told.reason);
        store_reload(store, false);
    }
    member_free(&member);
    return NULL;
}

/* The plugin itself tells when two threads are in it. */
static void a_plugin_for_one_thread_gets_one(void **state)
{
    pthread_t threads[4];
    struct store_report told;
    struct store *store = open_store("serial");
    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit, store), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(store_probe(store, clock_monotonic_ms() + 1000, &told), MEMBERCHAT_FOUND);
    store_close(store);
}

/* Another one is inside until the time is over. */
static void a_turn_that_does_not_come(void **state)
{
    pthread_t threads[3];
    struct store_report told;
    struct store *store = open_store("serial");
    int late = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit, store), 0);
    for (int i = 0; i < 100; i++) {
        late += store_probe(store, clock_monotonic_ms() - 1, &told) == MEMBERCHAT_UNAVAILABLE;
        usleep(100);
    }
    assert_true(late > 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(store_probe(store, clock_monotonic_ms() + 1000, &told), MEMBERCHAT_FOUND);
    store_close(store);
}

static void *load_all(void *argument)
{
    static const char *const names[] = {"slow", "serial", "bad_keys", "bad_outcome"};
    struct reason own;
    (void)argument;
    for (size_t i = 0; i < 40; i++)
        plugin_load(test_plugins, names[i % COUNT(names)], &own);
    return NULL;
}

static void loading_in_many_threads(void **state)
{
    pthread_t threads[4];
    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_all, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_teardown(function, stop)
    const struct CMUnitTest tests[] = {
        TEST(good_ones),
        TEST(bad_ones),
        TEST(names_that_are_none),
        TEST(plugins_that_are_not_there),
        TEST(parts_that_are_missing),
        TEST(what_is_linked_in_is_not_looked_for),
        SCRATCH_TEST(folders_that_are_odd),
        SCRATCH_TEST(no_shared_object),
        TEST(bad_answers),
        TEST(opening_fails_with_a_reason),
        TEST(opening_fails_without_a_reason),
        TEST(a_turn_that_does_not_come),
        TEST(a_plugin_for_one_thread_gets_one),
        TEST(loading_in_many_threads),
    };
    return cmocka_run_group_tests_name("plugin", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * What the unit tests share: cmocka with what it needs, spans, files in a scratch
 * folder, and a configuration to serve with. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "settings/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A literal as a span, which may have a NUL inside; and the same in a table. */
#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})
#define LITERAL(literal)                                                                           \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

/* A test case with a scratch folder of its own. */
#define SCRATCH_TEST(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_start, scratch_stop)

/* Fails with a message that says which row of a table it was. */
#define expect(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg(__VA_ARGS__);                                                                 \
    } while (0)

void expect_contains(const char *text, const char *part);
void expect_lacks(const char *text, const char *part);
void expect_span(struct span span, const char *wanted); /* NULL: SPAN_NONE */

/* The JSON object that a text is, in which nothing is there twice; fails the test when it is not
 * one.  json_release() is the caller's. */
struct json_object *json_of(struct span text);

/* How often a part is in a text. */
size_t count_of(const char *text, const char *part);

void pause_ms(int64_t milliseconds);

/* An upper limit of a time, in milliseconds, made longer for slow builds by $MEMBERCHAT_SLOW. */
int64_t limit_ms(int64_t milliseconds);

/* A copy that ends where the memory ends, so that a sanitizer sees one byte too
 * far.  From malloc. */
char *exact_copy(struct span text);

/* `count` times the same byte, with a NUL; from malloc. */
char *repeated(char byte, size_t count);

/* Runs a part in a child of this process; what it returns, or 128 and the signal that ended it. */
int in_child(int (*part)(void));

/* From now on, a system call fails in this process, whose argument (0: the first) has one of these
 * bits (0: whatever it is). */
bool forbid_call(int number, unsigned argument, uint32_t bits, int error);

/* Lets no descriptor be opened any more, and again as before. */
void descriptors_end(void);
void descriptors_begin(void);

/* A port of this machine that nobody has. */
uint16_t free_port(void);

int scratch_start(void **state);
int scratch_stop(void **state); /* removes everything */

/* A path in the scratch folder; valid until scratch_stop(). */
const char *scratch_path(const char *name);

/* Writes a file there and returns its path. */
const char *scratch_write(const char *name, struct span content);
const char *scratch_write_mode(const char *name, struct span content, unsigned mode);

/* The content of a file as a C string; valid until scratch_stop(). */
const char *scratch_read(const char *path);

/* Turns the standard error of this process into a file of the scratch folder, and
 * back; the second returns what was written. */
void stderr_catch(void);
const char *stderr_caught(void);

extern const char *const plugins;      /* the folder of the stores that are built */
extern const char *const test_plugins; /* the folder of those for tests */

/* A key file "key" of 32 times 'k' and a members file "members.csv" with Ann (1,
 * all fields), Bob (2, only the id) and Cleo (3, not active). */
void scratch_write_basics(void);

/* A configuration with one app "demo" (key "demo-key", secret "demo-secret-demo"); the
 * other texts are put into it as they are.  From scratch memory. */
struct config_texts {
    const char *top, *store, *app, *token, *apps; /* NULL: "" */
};
const char *config_text(const struct config_texts *texts);

/* Writes the basics and that configuration, and loads and opens it; fails the test
 * when it is not good.  settings_free() is the caller's. */
struct settings *settings_from(const struct config_texts *texts);

#endif

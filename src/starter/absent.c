/* SPDX-License-Identifier: MIT
 * In place of the C library's loader of shared objects: a way to sign in to MariaDB that libmariadb
 * would load is the ordinary program's to use.  (SQLite loads nothing: extensions are off.)
 * Arguments are not looked at, so none are declared. */
#include "absent.h"

#include <stddef.h>

void (*absent_hand_over)(void);

#define ABSENT(NAME)                                                                               \
    void *NAME(void);                                                                              \
    void *NAME(void)

ABSENT(dlopen)
{
    absent_hand_over();
    return NULL;
}

ABSENT(dlsym)
{
    return NULL;
}

ABSENT(dlclose)
{
    return NULL;
}

ABSENT(dlerror)
{
    static char text[] = "a static program loads no shared object";
    return text;
}

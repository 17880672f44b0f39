/* SPDX-License-Identifier: MIT */
#include "short_memory.h"

#include <errno.h>
#include <stdlib.h>

static _Thread_local struct {
    bool armed, lasting, failed;
    size_t granted;
} shortage;

void short_memory_start(size_t granted, bool lasting)
{
    shortage.granted = granted;
    shortage.lasting = lasting;
    shortage.failed = false;
    shortage.armed = true;
}

bool short_memory_stop(void)
{
    shortage.armed = false;
    return shortage.failed;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool is_refused(void)
{
    if (!shortage.armed || (shortage.failed && !shortage.lasting))
        return false;
    if (!shortage.failed && shortage.granted-- > 0)
        return false;
    shortage.failed = true;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __libc_realloc(old, size);
}

#endif

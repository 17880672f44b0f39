/* SPDX-License-Identifier: MIT */
#include "module.h"

#include <dlfcn.h>
#include <stddef.h>

module_entry module_find(const char *path, const char *name, struct reason *why)
{
    union {
        void *object;
        module_entry function;
    } symbol = {NULL};
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        reason_set(why, "%s", dlerror());
        return NULL;
    }
    symbol.object = dlsym(handle, name);
    if (!symbol.object)
        reason_set(why, "it does not export %s()", name);
    dlclose(handle); /* RTLD_NODELETE: only the reference goes */
    return symbol.function;
}

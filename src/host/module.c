/* SPDX-License-Identifier: MIT */
#include "module.h"

#include <dlfcn.h>

module_entry module_find(const char *path, const char *name, struct bytes *why_r)
{
    union {
        void *object;
        module_entry function;
    } symbol = {NULL};
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        bytes_add_string(why_r, dlerror());
        return NULL;
    }
    symbol.object = dlsym(handle, name);
    if (!symbol.object)
        bytes_addf(why_r, "it does not export %s()", name);
    dlclose(handle); /* RTLD_NODELETE: only the reference goes */
    return symbol.function;
}

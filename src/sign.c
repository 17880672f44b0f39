/* SPDX-License-Identifier: MIT */
#include "sign.h"

#include <dlfcn.h>
#include <unistd.h>

#define MODULE "sign_openssl.so"

typedef const struct sign_module *(*entry_point)(void);

/* dlopen() of what is loaded already costs nothing, and locks by itself. */
static entry_point find_entry(const char *path, struct strbuf *why_r)
{
    union {
        void *object;
        entry_point function;
    } symbol = {NULL};
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        strbuf_add_string(why_r, dlerror());
        return NULL;
    }
    symbol.object = dlsym(handle, "memberchat_sign_module");
    if (!symbol.object)
        strbuf_addf(why_r, "%s does not export memberchat_sign_module()", path);
    dlclose(handle); /* RTLD_NODELETE: only the reference goes */
    return symbol.function;
}

const struct sign_module *sign_load(const char *folder, struct strbuf *why_r)
{
    const struct sign_module *module = NULL;
    struct strbuf path = {0};
    strbuf_addf(&path, "%s/" MODULE, folder);
    if (access(strbuf_string(&path), F_OK) != 0) {
        strbuf_addf(why_r,
                    "public-key signatures need " MODULE ", which is not in this installation (in "
                    "%s): build memberchat with OpenSSL",
                    folder);
    } else {
        entry_point entry = find_entry(strbuf_string(&path), why_r);
        module = entry ? entry() : NULL;
    }
    if (module && (module->abi != SIGN_MODULE_ABI || module->size < sizeof *module)) {
        strbuf_addf(why_r, "%s is of another version of memberchat", strbuf_string(&path));
        module = NULL;
    }
    strbuf_free(&path);
    return module;
}

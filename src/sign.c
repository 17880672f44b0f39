/* SPDX-License-Identifier: MIT */
#include "sign.h"

#include "module.h"

#include <unistd.h>

#define MODULE "sign_openssl.so"

const struct sign_module *sign_load(const char *folder, struct strbuf *why_r)
{
    const struct sign_module *module = NULL;
    struct strbuf path = {0}, fault = {0};
    strbuf_addf(&path, "%s/" MODULE, folder);
    if (access(strbuf_string(&path), F_OK) != 0) {
        strbuf_addf(why_r,
                    "public-key signatures need " MODULE ", which is not in this installation (in "
                    "%s): build memberchat with OpenSSL",
                    folder);
    } else {
        module_entry entry = module_find(strbuf_string(&path), "memberchat_sign_module", &fault);
        module = entry ? entry() : NULL;
    }
    if (fault.length)
        strbuf_addf(why_r, "%s cannot be used: %s", strbuf_string(&path), strbuf_string(&fault));
    if (module && (module->abi != SIGN_MODULE_ABI || module->size < sizeof *module)) {
        strbuf_addf(why_r, "%s is of another version of memberchat", strbuf_string(&path));
        module = NULL;
    }
    strbuf_free(&path);
    strbuf_free(&fault);
    return module;
}

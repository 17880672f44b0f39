/* SPDX-License-Identifier: MIT */
#include "sign.h"

#include "host/module.h"

#include <unistd.h>

#define MODULE "sign_openssl.so"

const struct sign_module *sign_load(const char *folder, struct bytes *why_r)
{
    const struct sign_module *module = NULL;
    struct bytes path = {0}, fault = {0};
    bytes_addf(&path, "%s/" MODULE, folder);
    if (access(bytes_string(&path), F_OK) != 0) {
        bytes_addf(why_r,
                   "public-key signatures need " MODULE ", which is not in this installation (in "
                   "%s): build memberchat with OpenSSL",
                   folder);
    } else {
        module_entry entry = module_find(bytes_string(&path), "memberchat_sign_module", &fault);
        module = entry ? entry() : NULL;
    }
    if (fault.length)
        bytes_addf(why_r, "%s cannot be used: %s", bytes_string(&path), bytes_string(&fault));
    if (module && (module->abi != SIGN_MODULE_ABI || module->size < sizeof *module)) {
        bytes_addf(why_r, "%s is of another version of memberchat", bytes_string(&path));
        module = NULL;
    }
    bytes_free(&path);
    bytes_free(&fault);
    return module;
}

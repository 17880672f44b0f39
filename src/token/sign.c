/* SPDX-License-Identifier: MIT */
#include "sign.h"

#include "base/vault.h"
#include "host/module.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define MODULE "sign_openssl.so"

const struct sign_module *sign_load(const char *folder, struct reason *why)
{
    char path[PATH_MAX + sizeof MODULE]; /* a longer one is cut, and still too long */
    struct reason fault = {0};
    snprintf(path, sizeof path, "%s/" MODULE, folder);
    if (access(path, F_OK) != 0) {
        reason_set(why,
                   "public-key signatures need " MODULE ", which is not in this installation (in "
                   "%s): build memberchat with OpenSSL",
                   folder);
        return NULL;
    }
    module_entry entry = module_find(path, "memberchat_sign_module", &fault);
    const struct sign_module *module = entry ? entry() : NULL;
    if (!entry) {
        reason_set(why, "%s cannot be used: %s", path, fault.text);
    } else if (module->abi != SIGN_MODULE_ABI || module->size < sizeof *module) {
        reason_set(why, "%s belongs to another version of memberchat", path);
        module = NULL;
    } else {
        module->start(vault_locks());
    }
    return module;
}

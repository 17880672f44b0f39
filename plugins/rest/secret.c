/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include "base/file.h"

bool rest_secret_is_visible(struct span text, bool blanks, size_t *at_r)
{
    for (*at_r = 0; *at_r < text.length; (*at_r)++)
        if (text.data[*at_r] > 0x7e || text.data[*at_r] < (blanks ? 0x20 : 0x21))
            return false;
    return true;
}

bool rest_secret_read(const char *path, size_t most, bool blanks, struct bytes *out,
                      bool *exposed_r, struct reason *why)
{
    size_t at;
    if (!file_read_line(path, most, out, exposed_r, why))
        return false;
    bool good = rest_secret_is_visible(bytes_span(out), blanks, &at);
    if (!good)
        reason_set(why, "%s must be one line of visible ASCII; byte %zu is not", path, at + 1);
    return good;
}

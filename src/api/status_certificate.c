/* SPDX-License-Identifier: MIT
 * When certificates expire: of X.509 (RFC 5280), only the way to the end of its validity. */
#include "status.h"

#include "base/crypto.h"
#include "base/date.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX     (16u << 20)
#define TIME_MAX     32
#define BEGIN        "-----BEGIN CERTIFICATE-----"
#define END          "-----END CERTIFICATE-----"
#define DER_INTEGER  0x02
#define DER_UTC_TIME 0x17
#define DER_TIME     0x18
#define DER_SEQUENCE 0x30
#define DER_VERSION  0xa0

/* ---- DER ---- */

/* Takes the next value off `rest`; its tag, or -1 where there is none. */
static int take(struct span *rest, struct span *value_r)
{
    const uint8_t *bytes = (const uint8_t *)rest->data;
    size_t head = 2, length;
    if (rest->length < head)
        return -1;
    length = bytes[1];
    if (length & 0x80) {
        size_t count = length & 0x7f;
        if (count == 0 || count > 3 || rest->length < head + count)
            return -1;
        length = 0;
        for (size_t i = 0; i < count; i++)
            length = length << 8 | bytes[head + i];
        head += count;
    }
    if (length > rest->length - head)
        return -1;
    *value_r = (struct span){rest->data + head, length};
    *rest = (struct span){rest->data + head + length, rest->length - head - length};
    return bytes[0];
}

/* YYMMDDHHMMSSZ of the years 1950 to 2049, or YYYYMMDDHHMMSSZ. */
static bool read_time(int tag, struct span value, int64_t *seconds_r)
{
    char memory[TIME_MAX];
    struct bytes text = bytes_within(memory, sizeof memory);
    size_t year = tag == DER_UTC_TIME ? 2 : 4;
    bool is_day;
    if ((tag != DER_UTC_TIME && tag != DER_TIME) || value.length != year + sizeof "MMDDHHMMSSZ" - 1)
        return false;
    const char *at = value.data + year;
    if (year == 2)
        bytes_add_string(&text, value.data[0] >= '5' ? "19" : "20");
    bytes_addf(&text, "%.*s-%.2s-%.2sT%.2s:%.2s:%.2sZ", (int)year, value.data, at, at + 2, at + 4,
               at + 6, at + 8);
    return date_parse(bytes_span(&text), seconds_r, &is_day);
}

bool status_read_certificate(struct span certificate, int64_t *end_r)
{
    static const int before[] = {DER_INTEGER, DER_SEQUENCE, DER_SEQUENCE}; /* to the issuer */
    struct span outer, body, validity, value;
    int tag;
    if (take(&certificate, &outer) != DER_SEQUENCE || take(&outer, &body) != DER_SEQUENCE)
        return false;
    struct span rest = body;
    if (take(&rest, &value) == DER_VERSION)
        body = rest;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        if (take(&body, &value) != before[i])
            return false;
    if (take(&body, &validity) != DER_SEQUENCE || take(&validity, &value) < 0)
        return false;
    tag = take(&validity, &value);
    return tag >= 0 && read_time(tag, value, end_r);
}

/* ---- PEM ---- */

/* The end of one certificate, from its base64 with line ends. */
static bool read_armoured(struct span text, int64_t *end_r)
{
    struct bytes base64 = {0};
    for (size_t i = 0; i < text.length; i++)
        if (!memchr(" \t\r\n", text.data[i], 4))
            bytes_add(&base64, &text.data[i], 1);
    size_t length;
    uint8_t *der = base64.failed ? NULL : malloc(CRYPTO_DECODED_MAX(base64.length) + 1);
    bool good = der && crypto_base64_decode(der, bytes_span(&base64), &length) &&
                status_read_certificate((struct span){(const char *)der, length}, end_r);
    free(der);
    bytes_free(&base64);
    return good;
}

static bool next_armoured(struct span *rest, struct span *text_r)
{
    const char *begin = memmem(rest->data, rest->length, BEGIN, sizeof BEGIN - 1);
    if (!begin)
        return false;
    begin += sizeof BEGIN - 1;
    const char *end =
        memmem(begin, (size_t)(rest->data + rest->length - begin), END, sizeof END - 1);
    if (!end)
        return false;
    *text_r = (struct span){begin, (size_t)(end - begin)};
    *rest = (struct span){end, (size_t)(rest->data + rest->length - end)};
    return true;
}

bool status_read_expiry(const char *path, enum status_expiry which, int64_t *expires_r)
{
    struct bytes text = {0};
    bool some = false;
    struct span armoured, rest;
    int64_t end;
    if (file_read_path(path, O_NONBLOCK, FILE_MAX, &text)) {
        rest = bytes_span(&text);
        while (next_armoured(&rest, &armoured))
            if (read_armoured(armoured, &end) &&
                (!some || (which == STATUS_FIRST ? end < *expires_r : end > *expires_r))) {
                *expires_r = end;
                some = true;
            }
    }
    bytes_free(&text);
    return some;
}

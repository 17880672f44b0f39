/* SPDX-License-Identifier: MIT
 * When certificates expire, against what OpenSSL says.  An input is a file; or 'D' and a
 * certificate in DER, so that a changed byte changes that and not its armour. */
#include "scene.h"

#include "api/status.h"
#include "base/date.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

const char fuzz_corpus[] = "certificate";

/* OpenSSL reads more than DER: whether this is what it would write. */
static bool is_der(const X509 *certificate, struct span encoded)
{
    unsigned char *body = NULL;
    X509 *copy = X509_dup(certificate);
    int length = copy ? i2d_re_X509_tbs(copy, &body) : -1;
    bool same = length > 0 && memmem(encoded.data, encoded.length, body, (size_t)length) != NULL;
    OPENSSL_free(body);
    X509_free(copy);
    return same;
}

/* RFC 5280, section 4.1.2.5: to the second, and in UTC. */
static bool is_plain_time(const ASN1_TIME *time)
{
    size_t length = ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15;
    const unsigned char *text = ASN1_STRING_get0_data(time);
    return (size_t)ASN1_STRING_length(time) == length && text[length - 1] == 'Z';
}

enum reading { UNREAD, READ, STRICT }; /* strict: X.509 to the letter */

/* What OpenSSL makes of it. */
static enum reading read_with_openssl(struct span encoded, int64_t *end_r)
{
    const unsigned char *at = (const unsigned char *)encoded.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)encoded.length);
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    enum reading reading = UNREAD;
    int days, seconds;
    must(epoch);
    const ASN1_TIME *time = certificate ? X509_get0_notAfter(certificate) : NULL;
    if (time && ASN1_TIME_diff(&days, &seconds, epoch, time)) {
        *end_r = (int64_t)days * 86400 + seconds;
        reading = is_der(certificate, encoded) && is_plain_time(time) && *end_r >= DATE_EARLIEST &&
                          *end_r <= DATE_LATEST
                      ? STRICT
                      : READ;
    }
    ASN1_TIME_free(epoch);
    X509_free(certificate);
    ERR_clear_error();
    return reading;
}

/* In a file between others, of which each is found. */
static void check_armoured(struct span der, bool readable, int64_t end)
{
    struct bytes file = {0};
    int64_t first, last;
    bytes_add_string(&file, "subject=x\n-----BEGIN CERTIFICATE-----\r\nMAA=\r\n-----END "
                            "CERTIFICATE-----\r\n-----BEGIN CERTIFICATE-----\n");
    bytes_add_base64(&file, der);
    bytes_add_string(&file, "\n-----END CERTIFICATE-----\n");
    must(!file.failed);
    const char *path = scene_write("certificates", bytes_span(&file));
    must(status_read_expiry(path, STATUS_FIRST, &first) == readable);
    must(status_read_expiry(path, STATUS_LAST, &last) == readable);
    must(!readable || (first == end && last == end));
    bytes_free(&file);
}

static void check_certificate(struct span der)
{
    int64_t end = 0, wanted = 0;
    enum reading reading = read_with_openssl(der, &wanted);
    bool read = status_read_certificate(der, &end);
    check_armoured(der, read, end);
    must(reading != STRICT || read);
    must(reading == UNREAD || !read || end == wanted);
    must(!read || (end >= DATE_EARLIEST && end <= DATE_LATEST));
}

/* OpenSSL accepts armour that RFC 7468 does not, so broken files are not compared with it. */
static void check_file(struct span text)
{
    const char *path = scene_write("certificates", text);
    int64_t first, last;
    bool read = status_read_expiry(path, STATUS_FIRST, &first);
    must(status_read_expiry(path, STATUS_LAST, &last) == read);
    must(!read || (first >= DATE_EARLIEST && first <= last && last <= DATE_LATEST));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && *data == 'D')
        check_certificate((struct span){(const char *)data + 1, size - 1});
    else if (size > 0)
        check_file((struct span){(const char *)data, size});
    return 0;
}

/* SPDX-License-Identifier: MIT
 *
 * ldap_trust.c: see ldap_trust.h.
 */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where systems keep what they trust. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, Red Hat */
    "/etc/ssl/ca-bundle.pem",             /* SUSE */
    "/etc/ssl/cert.pem",                  /* the BSDs */
};

const char *ldap_trust_file(const struct ldap_settings *settings)
{
    size_t i;

    if (settings->ca_file != NULL)
        return settings->ca_file;
    for (i = 0; i < sizeof bundles / sizeof bundles[0]; i++)
        if (access(bundles[i], R_OK) == 0)
            return bundles[i];
    return NULL;
}

static void fault_of_file(struct ldap_fault *fault, const char *key, const char *path, int error)
{
    if (error == EACCES)
        ldap_fault_set(fault, VERDICT_WRONG, "%s: %s: permission denied: let user %ld read it", key,
                       path, (long)geteuid());
    else
        ldap_fault_set(fault, VERDICT_WRONG, "%s: %s: %s", key, path, strerror(error));
}

/* Whether a line of the file begins with `mark` and ends with `tail`. */
static bool has_line(FILE *file, const char *mark, const char *tail)
{
    char line[256];
    size_t length;

    while (fgets(line, sizeof line, file) != NULL) {
        length = strcspn(line, "\r\n");
        if (strncmp(line, mark, strlen(mark)) == 0 && length >= strlen(tail) &&
            memcmp(line + length - strlen(tail), tail, strlen(tail)) == 0)
            return true;
    }
    return false;
}

static bool check_pem(const char *key, const char *path, const char *tail, const char *what,
                      struct ldap_fault *fault)
{
    FILE *file;
    bool good;

    if (path == NULL)
        return true;
    file = fopen(path, "re");
    if (file == NULL) {
        fault_of_file(fault, key, path, errno);
        return false;
    }
    good = has_line(file, "-----BEGIN ", tail);
    fclose(file);
    if (!good)
        ldap_fault_set(fault, VERDICT_WRONG, "%s: %s: there is no %s in PEM format in it", key,
                       path, what);
    return good;
}

bool ldap_trust_check(const struct ldap_settings *settings, struct ldap_fault *fault)
{
    return check_pem("ca_file", settings->ca_file, "CERTIFICATE-----", "certificate", fault) &&
           check_pem("cert_file", settings->cert_file, "CERTIFICATE-----", "certificate", fault) &&
           check_pem("key_file", settings->key_file, "PRIVATE KEY-----", "private key", fault);
}

/* Reads all of a small file.  False: with a reason. */
static bool read_secret(const char *path, struct ldap_password *password, struct stat *info_r,
                        struct ldap_fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error = 0;
    ssize_t got = 0;

    password->length = 0;
    if (fd < 0 || fstat(fd, info_r) != 0) {
        error = errno;
    } else {
        while (password->length < sizeof password->bytes &&
               (got = read(fd, password->bytes + password->length,
                           sizeof password->bytes - password->length)) > 0)
            password->length += (size_t)got;
        error = got < 0 ? errno : 0;
    }
    if (fd >= 0)
        close(fd);
    if (error != 0)
        fault_of_file(fault, "bind_password_file", path, error);
    return error == 0;
}

static bool check_secret(const char *path, const struct ldap_password *password,
                         const struct stat *info, struct ldap_fault *fault)
{
    const char *wrong = NULL;

    if ((info->st_mode & S_IWOTH) != 0)
        wrong = "any user of this machine can write to it: chmod o-rwx it";
    else if (password->length == 0)
        wrong = "it is empty, and with an empty password a bind counts as anonymous";
    else if (password->length > LDAP_PASSWORD_MAX)
        wrong = "it is longer than 1024 bytes: there is more in it than a password";
    else if (memchr(password->bytes, '\n', password->length) != NULL)
        wrong = "it has several lines: it should have the password and nothing else";
    if (wrong != NULL)
        ldap_fault_set(fault, VERDICT_WRONG, "bind_password_file: %s: %s", path, wrong);
    return wrong == NULL;
}

bool ldap_trust_password(const struct ldap_settings *settings,
                         const struct memberchat_services *services,
                         struct ldap_password *password_r, struct ldap_fault *fault)
{
    const char *path = settings->bind_password_file;
    struct stat info;

    if (path == NULL) {
        password_r->length = strlen(settings->bind_password);
        memcpy(password_r->bytes, settings->bind_password, password_r->length);
        return true;
    }
    if (!read_secret(path, password_r, &info, fault))
        return false;
    if (password_r->length > 0 && password_r->bytes[password_r->length - 1] == '\n')
        password_r->length--;
    if (password_r->length > 0 && password_r->bytes[password_r->length - 1] == '\r')
        password_r->length--;
    if (!check_secret(path, password_r, &info, fault)) {
        ldap_trust_wipe(password_r);
        return false;
    }
    if ((info.st_mode & S_IROTH) != 0 && services != NULL)
        services->log(
            services, MEMBERCHAT_LOG_WARNING,
            "bind_password_file: %s: any user of this machine can read it: chmod o-rwx it", path);
    return true;
}

void ldap_trust_wipe(struct ldap_password *password)
{
    explicit_bzero(password, sizeof *password);
}

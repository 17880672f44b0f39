/* SPDX-License-Identifier: MIT
 *
 * rest_loop HANDLES SECONDS CA-FILE|- URL...
 *
 * The least that a libcurl program can do: HANDLES threads with an easy handle each,
 * which asks for the URLs in turn on the connection that it keeps, for so long, and
 * looks at nothing.  Prints: answers with status 200, microseconds it took, microseconds
 * of CPU, answers with another status or none.
 */
#include "clocks.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char **urls;
static size_t url_count;
static const char *ca_file;
static atomic_long good, bad;
static atomic_bool over;

static size_t take(char *bytes, size_t size, size_t count, void *unused)
{
    (void)bytes;
    (void)unused;
    return size * count;
}

static void *ask_often(void *start)
{
    CURL *easy = curl_easy_init();
    long status = 0;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    if (ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    for (size_t i = (size_t)start; !atomic_load(&over); i++) {
        curl_easy_setopt(easy, CURLOPT_URL, urls[i % url_count]);
        CURLcode code = curl_easy_perform(easy);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        atomic_fetch_add(code == CURLE_OK && status == 200 ? &good : &bad, 1);
    }
    curl_easy_cleanup(easy);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: rest_loop HANDLES SECONDS CA-FILE|- URL...\n");
        return 64;
    }
    size_t handles = strtoul(argv[1], NULL, 10);
    const struct timespec length = {.tv_sec = atoi(argv[2])};
    pthread_t *threads = calloc(handles, sizeof *threads);
    ca_file = strcmp(argv[3], "-") == 0 ? NULL : argv[3];
    urls = argv + 4;
    url_count = (size_t)argc - 4;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    long start = now_us(), cpu = cpu_us();
    for (size_t i = 0; threads && i < handles; i++)
        pthread_create(&threads[i], NULL, ask_often, (void *)(i * url_count / handles));
    nanosleep(&length, NULL);
    atomic_store(&over, true);
    for (size_t i = 0; threads && i < handles; i++)
        pthread_join(threads[i], NULL);
    printf("%ld %ld %ld %ld\n", atomic_load(&good), now_us() - start, cpu_us() - cpu,
           atomic_load(&bad));
    free(threads);
    return 0;
}

/* SPDX-License-Identifier: MIT
 * What an older libcurl does not have is left out: memberchat-store-rest(5) says what that means.
 */
#ifndef REST_OLDER_H
#define REST_OLDER_H

#include <curl/curlver.h>

#if LIBCURL_VERSION_NUM >= 0x074d00
#define CLIENT_CERTIFICATE_WANTED CURLE_SSL_CLIENTCERT
#else
#define CLIENT_CERTIFICATE_WANTED CURLE_SSL_CERTPROBLEM
#endif

#if LIBCURL_VERSION_NUM >= 0x075000
#define IF_CURL_7_80(CODE) CODE
#else
#define IF_CURL_7_80(CODE)
#endif

#if LIBCURL_VERSION_NUM >= 0x075700
#define IF_CURL_7_87(CODE) CODE
#else
#define IF_CURL_7_87(CODE)
#endif

#if LIBCURL_VERSION_NUM >= 0x075500
#define SET_PROTOCOLS(WIRE) SET(WIRE, CURLOPT_PROTOCOLS_STR, "http,https")
#else
#define SET_PROTOCOLS(WIRE) SET(WIRE, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS))
#endif

#endif

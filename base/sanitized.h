/* SPDX-License-Identifier: MIT */
#ifndef SANITIZED_H
#define SANITIZED_H

/* A sanitizer traces the process, and writes down what it finds, at its exit too. */
#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED
#endif
#elif defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define IS_SANITIZED
#endif

#endif

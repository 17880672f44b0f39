/* SPDX-License-Identifier: MIT
 * /metrics: the figures in the text format of Prometheus. */
#ifndef METRICS_H
#define METRICS_H

#include "exchange.h"

enum outcome metrics_answer(struct exchange *exchange);

#endif

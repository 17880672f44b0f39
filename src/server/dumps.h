/* SPDX-License-Identifier: MIT */
#ifndef DUMPS_H
#define DUMPS_H

/* No core dumps, and no reading of this process's memory by others of its user. */
void dumps_forbid(void);

#endif

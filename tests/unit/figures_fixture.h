/* SPDX-License-Identifier: MIT
 * A test case whose figures, if it uses a file, are in a scratch folder. */
#ifndef MEMBERCHAT_FIGURES_FIXTURE_H
#define MEMBERCHAT_FIGURES_FIXTURE_H

#define CASE(function) cmocka_unit_test_setup_teardown(function, fixture_start, fixture_stop)

extern const char *path; /* of the file, which is not there at the start */

int fixture_start(void **state);
int fixture_stop(void **state);

#endif

/* SPDX-License-Identifier: MIT
 * The stores that the contract is asked of. */
#include "contract.h"

const struct contract_fixture *const contract_fixtures[CONTRACT_FIXTURES_MAX] = {
#ifdef HAVE_STORE_FILE
    &contract_file_csv, &contract_file_cdb,
#endif
#ifdef HAVE_STORE_REST
    &contract_rest,
#endif
#ifdef HAVE_STORE_LDAP
    &contract_ldap,
#endif
#ifdef HAVE_STORE_MYSQL
    &contract_mysql,
#endif
#ifdef HAVE_STORE_PGSQL
    &contract_pgsql,
#endif
#ifdef HAVE_STORE_SQLITE
    &contract_sqlite,
#endif
    &contract_slow,
};

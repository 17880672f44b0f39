# SPDX-License-Identifier: MIT
# Tests that need no server: make check.
#   make check CHECK_WRAP='valgrind -q --error-exitcode=99'   the programs under valgrind
#   make fuzz FUZZ_SECONDS=20                                 with clang: tests/fuzz/README

TESTS =
check_PROGRAMS =
check_LTLIBRARIES =
TEST_EXTENSIONS = .sh .py

# All speak TAP, so that each case counts.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
PY_LOG_DRIVER = $(LOG_DRIVER)
LOG_COMPILER = $(CHECK_WRAP)
SH_LOG_COMPILER = $(SHELL)
PY_LOG_COMPILER = $(PYTHON) -B
CHECK_CXX = c++
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	MALLOC_PERTURB_=165; export MALLOC_PERTURB_; \
	SOURCE='$(abs_top_srcdir)'; BUILD='$(abs_top_builddir)'; PLUGINS='$(PLUGIN_OBJDIR)'; \
	COMMAND='$(abs_top_builddir)/src/memberchat'; CORE='$(PLUGIN_OBJDIR)/libmemberchat.a'; \
	HEADER='$(abs_top_srcdir)/include/memberchat_store.h'; \
	CC='$(CC)'; CXX='$(CHECK_CXX)'; NM='$(NM)'; MANDOC='$(MANDOC)'; \
	PAGES='$(dist_man_MANS:%=$(abs_top_srcdir)/%)'; \
	export SOURCE BUILD PLUGINS COMMAND CORE HEADER CC CXX NM MANDOC PAGES;

PLUGIN_OBJDIR = $(abs_top_builddir)/.libs
TEST_PLUGIN_OBJDIR = $(abs_top_builddir)/tests/plugins/.libs

# ---- Stores for tests, good and bad ones: tests/plugins/.libs/store_NAME.so ----

TEST_PLUGIN_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere \
	$(PLUGIN_NO_UNDEFINED)

check_LTLIBRARIES += \
	tests/plugins/store_serial.la \
	tests/plugins/store_slow.la
tests_plugins_store_serial_la_SOURCES = tests/plugins/store_serial.c
tests_plugins_store_serial_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_slow_la_SOURCES = tests/plugins/store_slow.c
tests_plugins_store_slow_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
EXTRA_DIST += tests/plugins/test_store.h

# Those that are wrong in one point each, all from one file.
BAD_PLUGINS = chosen keys keys_choice keys_help keys_outside keys_twice keys_type lookup name newer_abi \
	nosymbol null openfails outcome result short_struct
check_DATA = tests/plugins/bad.stamp
CLEANFILES += tests/plugins/bad.stamp tests/plugins/.libs/store_bad_*.so
EXTRA_DIST += tests/plugins/bad.c
tests/plugins/bad.stamp: tests/plugins/bad.c tests/plugins/test_store.h include/memberchat_store.h
	$(AM_V_GEN)$(MKDIR_P) $(TEST_PLUGIN_OBJDIR) && for kind in $(BAD_PLUGINS); do \
	  $(CC) $(DEFS) -I$(top_srcdir)/include $(AM_CFLAGS) $(CFLAGS) -shared -fPIC \
	    -DBAD=$$kind -DBAD_IS_$$kind -o $(TEST_PLUGIN_OBJDIR)/store_bad_$$kind.so \
	    $(srcdir)/tests/plugins/bad.c || exit 1; \
	done && touch $@

# A module for signatures of another version.
check_LTLIBRARIES += tests/plugins/sign_openssl.la
tests_plugins_sign_openssl_la_SOURCES = tests/plugins/sign_openssl.c
tests_plugins_sign_openssl_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)

# For system tests, to be preloaded: names that resolve as a test wants it, and what must not become of descriptors.
check_LTLIBRARIES += tests/plugins/resolver.la
tests_plugins_resolver_la_SOURCES = tests/plugins/resolver.c
tests_plugins_resolver_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
check_LTLIBRARIES += tests/plugins/descriptors.la
tests_plugins_descriptors_la_SOURCES = tests/plugins/descriptors.c
tests_plugins_descriptors_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)

# ---- Unit tests: a program a module ----

if HAVE_CMOCKA
AM_CPPFLAGS += $(CMOCKA_CFLAGS)

check_LTLIBRARIES += tests/unit/libsupport.la
tests_unit_libsupport_la_SOURCES = \
	tests/unit/intake_fixture.c tests/unit/intake_fixture.h tests/unit/peer.h tests/unit/question.h \
	tests/unit/records.c tests/unit/records.h tests/unit/stub_store.c \
	tests/unit/stub_store.h tests/unit/support.c tests/unit/support.h
tests_unit_libsupport_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DPLUGINS='"$(PLUGIN_OBJDIR)"' -DTEST_PLUGINS='"$(TEST_PLUGIN_OBJDIR)"'

# What tests of a store have in place of the host.
check_LTLIBRARIES += tests/unit/libhost.la
tests_unit_libhost_la_SOURCES = tests/unit/fake_services.c tests/unit/fake_services.h \
	tests/unit/file_fixture.c tests/unit/file_fixture.h

# What a test links with, unless it says otherwise.
LDADD = tests/unit/libsupport.la libresident.la $(CMOCKA_LIBS)

UNIT_TESTS = \
	tests/unit/test_breaker \
	tests/unit/test_bytes \
	tests/unit/test_cache \
	tests/unit/test_claims \
	tests/unit/test_config \
	tests/unit/test_config_fill \
	tests/unit/test_config_value \
	tests/unit/test_conn \
	tests/unit/test_cors \
	tests/unit/test_crew \
	tests/unit/test_crypto \
	tests/unit/test_date \
	tests/unit/test_denied \
	tests/unit/test_directory \
	tests/unit/test_directory_probe \
	tests/unit/test_disguise \
	tests/unit/test_failover \
	tests/unit/test_file \
	tests/unit/test_intake \
	tests/unit/test_intake_faults \
	tests/unit/test_guard \
	tests/unit/test_guest \
	tests/unit/test_handler_far \
	tests/unit/test_figures \
	tests/unit/test_figures_file \
	tests/unit/test_figures_use \
	tests/unit/test_hash \
	tests/unit/test_http \
	tests/unit/test_json \
	tests/unit/test_json_gate \
	tests/unit/test_json_values \
	tests/unit/test_jws \
	tests/unit/test_keys \
	tests/unit/test_ksuid \
	tests/unit/test_listen \
	tests/unit/test_listen_inet \
	tests/unit/test_listen_trouble \
	tests/unit/test_log \
	tests/unit/test_log_sink \
	tests/unit/test_kit \
	tests/unit/test_map \
	tests/unit/test_mapping \
	tests/unit/test_member \
	tests/unit/test_networks \
	tests/unit/test_origin \
	tests/unit/test_park \
	tests/unit/test_plugin \
	tests/unit/test_pool \
	tests/unit/test_random \
	tests/unit/test_reader \
	tests/unit/test_reason \
	tests/unit/test_reply \
	tests/unit/test_resolve \
	tests/unit/test_route \
	tests/unit/test_sandbox \
	tests/unit/test_sandbox_lacking \
	tests/unit/test_snapshot \
	tests/unit/test_socket_place \
	tests/unit/test_store \
	tests/unit/test_store_answers \
	tests/unit/test_template \
	tests/unit/test_text \
	tests/unit/test_throttle_table \
	tests/unit/test_trace \
	tests/unit/test_vault

FIGURES_FIXTURE = tests/unit/figures_fixture.c tests/unit/figures_fixture.h
tests_unit_test_kit_SOURCES = tests/unit/test_kit.c src/host/kit.c
tests_unit_test_kit_CPPFLAGS = $(AM_CPPFLAGS) -DDEFAULT_RESPONDER='"/no-such/memberchat.fcgi"'
tests_unit_test_figures_SOURCES = tests/unit/test_figures.c $(FIGURES_FIXTURE)
tests_unit_test_figures_file_SOURCES = tests/unit/test_figures_file.c $(FIGURES_FIXTURE)
tests_unit_test_figures_use_SOURCES = tests/unit/test_figures_use.c $(FIGURES_FIXTURE)
tests_unit_test_sandbox_lacking_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CPPFLAGS)
tests_unit_test_conn_SOURCES = tests/unit/test_conn.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_token_memory_SOURCES = tests/unit/test_token_memory.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_json_SOURCES = tests/unit/test_json.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_guard_SOURCES = tests/unit/test_guard.c tests/unit/fake_network.c tests/unit/fake_network.h
tests_unit_test_reason_SOURCES = tests/unit/test_reason.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_map_SOURCES = tests/unit/test_map.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_template_SOURCES = tests/unit/test_template.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_log_SOURCES = tests/unit/test_log.c tests/unit/fake_network.c tests/unit/fake_network.h
tests_unit_test_resolve_SOURCES = tests/unit/test_resolve.c tests/unit/fake_network.c tests/unit/fake_network.h
tests_unit_test_store_SOURCES = tests/unit/test_store.c tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_store_answers_SOURCES = tests/unit/test_store_answers.c tests/unit/store_fixture.c tests/unit/store_fixture.h
if HAVE_LIBCONFIG
UNIT_TESTS += tests/unit/test_reader_libconfig
tests_unit_test_reader_libconfig_CFLAGS = $(AM_CFLAGS) $(LIBCONFIG_CFLAGS)
tests_unit_test_reader_libconfig_LDADD = $(LDADD) $(LIBCONFIG_LIBS)
endif

# Those that need OpenSSL.
if SIGN_OPENSSL
UNIT_TESTS += \
	tests/unit/test_keys_public \
	tests/unit/test_keys_rsa \
	tests/unit/test_vectors
tests_unit_test_keys_public_SOURCES = tests/unit/test_keys_public.c tests/unit/vectors.c tests/unit/vectors.h
tests_unit_test_keys_rsa_SOURCES = tests/unit/test_keys_rsa.c tests/unit/vectors.c tests/unit/vectors.h
tests_unit_test_vectors_SOURCES = tests/unit/test_vectors.c tests/unit/vectors.c tests/unit/vectors.h
if STORE_FILE
UNIT_TESTS += tests/unit/test_jwks
endif
endif

# Those that serve members from a file.
if STORE_FILE
UNIT_TESTS += \
	tests/unit/test_access_token \
	tests/unit/test_cgi \
	tests/unit/test_credentials \
	tests/unit/test_handler \
	tests/unit/test_handler_web \
	tests/unit/test_load \
	tests/unit/test_members_memory \
	tests/unit/test_no_random \
	tests/unit/test_server \
	tests/unit/test_settings \
	tests/unit/test_settings_app \
	tests/unit/test_settings_memory \
	tests/unit/test_settings_secrets \
	tests/unit/test_status \
	tests/unit/test_status_pages \
	tests/unit/test_token \
	tests/unit/test_token_memory \
	tests/unit/test_upkeep
SETTINGS_FIXTURE = tests/unit/settings_fixture.c tests/unit/settings_fixture.h
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c $(SETTINGS_FIXTURE)
tests_unit_test_settings_app_SOURCES = tests/unit/test_settings_app.c $(SETTINGS_FIXTURE)
tests_unit_test_settings_secrets_SOURCES = tests/unit/test_settings_secrets.c $(SETTINGS_FIXTURE)
tests_unit_test_settings_memory_SOURCES = tests/unit/test_settings_memory.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_members_memory_SOURCES = tests/unit/test_members_memory.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_status_pages_SOURCES = tests/unit/test_status_pages.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_server_SOURCES = tests/unit/test_server.c tests/unit/responder.c tests/unit/responder.h
tests_unit_test_upkeep_SOURCES = tests/unit/test_upkeep.c tests/unit/responder.c tests/unit/responder.h

# A store without a host around it.
FILE_LIBS = tests/unit/libhost.la libstorefile.la libbase.la $(CSV_LIBS) $(CDB_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += \
	tests/unit/test_file_compiled \
	tests/unit/test_file_encoding \
	tests/unit/test_file_row \
	tests/unit/test_file_table \
	tests/unit/test_store_file \
	tests/unit/test_store_file_changing \
	tests/unit/test_store_file_memory \
	tests/unit/test_store_file_reload
tests_unit_test_file_compiled_LDADD = $(FILE_LIBS)
tests_unit_test_file_encoding_SOURCES = tests/unit/test_file_encoding.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_file_encoding_LDADD = $(FILE_LIBS)
tests_unit_test_file_row_LDADD = $(FILE_LIBS)
tests_unit_test_file_table_LDADD = $(FILE_LIBS)
tests_unit_test_store_file_LDADD = $(FILE_LIBS)
tests_unit_test_store_file_changing_LDADD = $(FILE_LIBS)
tests_unit_test_store_file_memory_LDADD = $(FILE_LIBS)
tests_unit_test_store_file_memory_SOURCES = tests/unit/test_store_file_memory.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_store_file_reload_LDADD = $(FILE_LIBS)
endif

if STORE_LDAP
LDAP_LIBS = tests/unit/libhost.la libstoreldap.la libbase.la $(OPENLDAP_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += \
	tests/unit/test_ldap_dn \
	tests/unit/test_ldap_entry \
	tests/unit/test_ldap_filter \
	tests/unit/test_ldap_id \
	tests/unit/test_ldap_referral \
	tests/unit/test_ldap_search \
	tests/unit/test_ldap_servers \
	tests/unit/test_ldap_uri
tests_unit_test_ldap_dn_LDADD = $(LDAP_LIBS)
tests_unit_test_ldap_entry_LDADD = $(LDAP_LIBS)
tests_unit_test_ldap_filter_LDADD = $(LDAP_LIBS)
tests_unit_test_ldap_id_LDADD = $(LDAP_LIBS)
tests_unit_test_ldap_referral_LDADD = $(LDAP_LIBS)
tests_unit_test_ldap_search_LDADD = $(LDAP_LIBS)
tests_unit_test_ldap_search_SOURCES = tests/unit/test_ldap_search.c tests/unit/fake_network.c tests/unit/fake_network.h
tests_unit_test_ldap_servers_LDADD = $(LDAP_LIBS)
tests_unit_test_ldap_servers_SOURCES = tests/unit/test_ldap_servers.c tests/unit/fake_network.c tests/unit/fake_network.h
tests_unit_test_ldap_uri_LDADD = $(LDAP_LIBS)
endif

if STORE_REST
REST_LIBS = tests/unit/libhost.la libstorerest.la libjson.la libbase.la $(CURL_LIBS) $(JSON_LIBS) $(CMOCKA_LIBS)
UNIT_TESTS += \
	tests/unit/test_rest_answer \
	tests/unit/test_rest_credentials \
	tests/unit/test_rest_template \
	tests/unit/test_rest_token
tests_unit_test_rest_answer_LDADD = $(REST_LIBS)
tests_unit_test_rest_answer_SOURCES = tests/unit/test_rest_answer.c tests/unit/short_memory.c tests/unit/short_memory.h
tests_unit_test_rest_credentials_LDADD = $(REST_LIBS)
tests_unit_test_rest_template_LDADD = $(REST_LIBS)
tests_unit_test_rest_token_LDADD = $(REST_LIBS)
tests_unit_test_rest_token_SOURCES = tests/unit/test_rest_token.c tests/unit/short_memory.c tests/unit/short_memory.h
endif

if STORE_MYSQL
UNIT_TESTS += tests/unit/test_mysql_code
tests_unit_test_mysql_code_SOURCES = tests/unit/test_mysql_code.c plugins/sql/mysql_code.c plugins/sql/mysql_code.h
tests_unit_test_mysql_code_CFLAGS = $(AM_CFLAGS) $(MARIADB_CFLAGS)
tests_unit_test_mysql_code_LDADD = libbase.la $(CMOCKA_LIBS)
endif

if STORE_PGSQL
UNIT_TESTS += tests/unit/test_pgsql_code
tests_unit_test_pgsql_code_SOURCES = tests/unit/test_pgsql_code.c plugins/sql/pgsql_code.c plugins/sql/pgsql_code.h
tests_unit_test_pgsql_code_LDADD = libbase.la $(CMOCKA_LIBS)
endif

SERVERS_LIBS = tests/unit/libsupport.la tests/unit/libhost.la libsqlservers.la libsql.la libresident.la $(CMOCKA_LIBS)
UNIT_TESTS += \
	tests/unit/test_sql_query \
	tests/unit/test_sql_servers \
	tests/unit/test_sql_settings \
	tests/unit/test_sql_store
tests_unit_test_sql_query_LDADD = tests/unit/libhost.la libsql.la libbase.la $(CMOCKA_LIBS)
tests_unit_test_sql_servers_LDADD = $(SERVERS_LIBS)
tests_unit_test_sql_servers_SOURCES = tests/unit/test_sql_servers.c tests/unit/fake_network.c tests/unit/fake_network.h
tests_unit_test_sql_settings_LDADD = $(SERVERS_LIBS)
tests_unit_test_sql_store_LDADD = tests/unit/libhost.la libsql.la libbase.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_log_line
tests_unit_test_log_line_SOURCES = tests/unit/test_log_line.c src/cli/log_line.c src/cli/log_line.h
tests_unit_test_log_line_LDADD = tests/unit/libsupport.la libjson.la libbase.la $(JSON_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_php
tests_unit_test_php_SOURCES = tests/unit/test_php.c \
	src/cli/php.c src/cli/php.h src/cli/php_text.c src/cli/php_text.h src/cli/php_walk.c src/cli/php_walk.h

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

# ---- The contract of stores: the same cases for each ----

check_PROGRAMS += tests/contract/stores
TESTS += tests/contract/stores
tests_contract_stores_SOURCES = \
	tests/contract/asking.c tests/contract/asking.h \
	tests/contract/contract.h tests/contract/fixture_slow.c tests/contract/fixtures.c \
	tests/contract/odd_ids.c tests/contract/people_sql.c tests/contract/stores.c
tests_contract_stores_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/unit \
	-DCOMMAND='"$(abs_top_builddir)/src/memberchat"'
if STORE_FILE
tests_contract_stores_SOURCES += tests/contract/fixture_file.c
tests_contract_stores_CPPFLAGS += -DHAVE_STORE_FILE
endif
if STORE_LDAP
tests_contract_stores_SOURCES += tests/contract/fixture_ldap.c
tests_contract_stores_CPPFLAGS += -DHAVE_STORE_LDAP
endif
if STORE_REST
tests_contract_stores_SOURCES += tests/contract/fixture_rest.c
tests_contract_stores_CPPFLAGS += -DHAVE_STORE_REST
endif
tests_contract_stores_CPPFLAGS += -DSQL_SERVER='"$(abs_top_srcdir)/tests/plugins/sql_server.sh"'
tests_contract_stores_SOURCES += \
	tests/contract/fixture_mysql.c tests/contract/fixture_pgsql.c \
	tests/contract/sql_servers.c tests/contract/sql_servers.h
if STORE_MYSQL
tests_contract_stores_CPPFLAGS += -DHAVE_STORE_MYSQL
endif
if STORE_PGSQL
tests_contract_stores_CPPFLAGS += -DHAVE_STORE_PGSQL
endif
if STORE_SQLITE
tests_contract_stores_SOURCES += tests/contract/fixture_sqlite.c
tests_contract_stores_CPPFLAGS += -DHAVE_STORE_SQLITE
endif
endif

TESTS += tests/contract/header.sh tests/contract/symbols.sh
EXTRA_DIST += tests/plugins/sql_server.sh tests/contract/header.sh tests/contract/symbols.sh

# ---- Fuzz harnesses, on their seeds ----

FUZZ_SECONDS = 20
FUZZ_ONLY =
FUZZ_JOBS = 1
check_LTLIBRARIES += tests/fuzz/libreplay.la
tests_fuzz_libreplay_la_SOURCES = tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_libreplay_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus"'
FUZZ_LIBS = tests/fuzz/libreplay.la libmemberchat.la

FUZZ_TESTS = \
	tests/fuzz/replay_claims \
	tests/fuzz/replay_client \
	tests/fuzz/replay_credentials \
	tests/fuzz/replay_intake \
	tests/fuzz/replay_json \
	tests/fuzz/replay_jws \
	tests/fuzz/replay_denied \
	tests/fuzz/replay_doctor \
	tests/fuzz/replay_figures \
	tests/fuzz/replay_log \
	tests/fuzz/replay_member \
	tests/fuzz/replay_params \
	tests/fuzz/replay_php \
	tests/fuzz/replay_route \
	tests/fuzz/replay_sql_answer \
	tests/fuzz/replay_throttle \
	tests/fuzz/replay_trace \
	tests/fuzz/replay_value
tests_fuzz_replay_claims_SOURCES = tests/fuzz/fuzz_claims.c
tests_fuzz_replay_claims_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_client_SOURCES = tests/fuzz/fuzz_client.c
tests_fuzz_replay_client_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_credentials_SOURCES = tests/fuzz/fuzz_credentials.c
tests_fuzz_replay_credentials_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_intake_SOURCES = tests/fuzz/fuzz_intake.c
tests_fuzz_replay_intake_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_json_SOURCES = tests/fuzz/fuzz_json.c
tests_fuzz_replay_json_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_jws_SOURCES = tests/fuzz/fuzz_jws.c
tests_fuzz_replay_jws_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_denied_SOURCES = tests/fuzz/fuzz_denied.c
tests_fuzz_replay_denied_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_doctor_SOURCES = tests/fuzz/fuzz_doctor.c src/cli/doctor_answer.c src/cli/doctor_kind.c \
	src/cli/doctor_kind.h src/cli/doctor_private.h
tests_fuzz_replay_doctor_LDADD = $(FUZZ_LIBS)
FUZZ_HOSTILE = tests/fuzz/hostile.c tests/fuzz/hostile.h
tests_fuzz_replay_figures_SOURCES = tests/fuzz/fuzz_figures.c $(FUZZ_HOSTILE)
tests_fuzz_replay_figures_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_log_SOURCES = tests/fuzz/fuzz_log.c src/cli/log_line.c src/cli/log_line.h
tests_fuzz_replay_log_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_member_SOURCES = tests/fuzz/fuzz_member.c
tests_fuzz_replay_member_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_params_SOURCES = tests/fuzz/fuzz_params.c
tests_fuzz_replay_params_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_php_SOURCES = tests/fuzz/fuzz_php.c src/cli/php.c src/cli/php.h \
	src/cli/php_text.c src/cli/php_text.h src/cli/php_walk.c src/cli/php_walk.h \
	src/cli/products.c src/cli/products.h
tests_fuzz_replay_php_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_throttle_SOURCES = tests/fuzz/fuzz_throttle.c
tests_fuzz_replay_throttle_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_trace_SOURCES = tests/fuzz/fuzz_trace.c
tests_fuzz_replay_trace_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_route_SOURCES = tests/fuzz/fuzz_route.c
tests_fuzz_replay_route_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_sql_answer_SOURCES = tests/fuzz/fuzz_sql_answer.c
tests_fuzz_replay_sql_answer_LDADD = tests/fuzz/libreplay.la libsql.la libbase.la
tests_fuzz_replay_value_SOURCES = tests/fuzz/fuzz_value.c
tests_fuzz_replay_value_LDADD = $(FUZZ_LIBS)
if STORE_FILE
FUZZ_SCENE = tests/fuzz/scene.c tests/fuzz/scene.h
FUZZ_HOST = tests/fuzz/members_host.c tests/fuzz/members_host.h $(FUZZ_SCENE)
FUZZ_SCENE_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_PLUGINS='"$(PLUGIN_OBJDIR)"'
FUZZ_HOST_LIBS = $(FUZZ_LIBS) libstorefile.la libbase.la $(CSV_LIBS) $(CDB_LIBS)
FUZZ_ANSWER = tests/fuzz/answer.c tests/fuzz/answer.h $(FUZZ_SCENE)
FUZZ_TESTS += tests/fuzz/replay_access_token tests/fuzz/replay_cdb tests/fuzz/replay_cgi tests/fuzz/replay_config \
	tests/fuzz/replay_denied_file tests/fuzz/replay_figures_file tests/fuzz/replay_keys \
	tests/fuzz/replay_members tests/fuzz/replay_request tests/fuzz/replay_status
tests_fuzz_replay_cgi_SOURCES = tests/fuzz/fuzz_cgi.c $(FUZZ_ANSWER)
tests_fuzz_replay_cgi_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_cgi_LDADD = tests/fuzz/libreplay.la libresident.la
tests_fuzz_replay_denied_file_SOURCES = tests/fuzz/fuzz_denied_file.c $(FUZZ_SCENE)
tests_fuzz_replay_denied_file_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_denied_file_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_status_SOURCES = tests/fuzz/fuzz_status.c $(FUZZ_HOSTILE) $(FUZZ_SCENE)
tests_fuzz_replay_status_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_status_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_figures_file_SOURCES = tests/fuzz/fuzz_figures_file.c $(FUZZ_SCENE)
tests_fuzz_replay_figures_file_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_figures_file_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_access_token_SOURCES = tests/fuzz/fuzz_access_token.c $(FUZZ_SCENE)
tests_fuzz_replay_access_token_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_access_token_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_cdb_SOURCES = tests/fuzz/fuzz_cdb.c $(FUZZ_HOST)
tests_fuzz_replay_cdb_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_cdb_LDADD = $(FUZZ_HOST_LIBS)
tests_fuzz_replay_config_SOURCES = tests/fuzz/fuzz_config.c $(FUZZ_SCENE)
tests_fuzz_replay_config_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_config_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_keys_SOURCES = tests/fuzz/fuzz_keys.c $(FUZZ_SCENE)
tests_fuzz_replay_keys_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_keys_LDADD = $(FUZZ_LIBS)
tests_fuzz_replay_members_SOURCES = tests/fuzz/fuzz_members.c $(FUZZ_HOST)
tests_fuzz_replay_members_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_members_LDADD = $(FUZZ_HOST_LIBS)
tests_fuzz_replay_request_SOURCES = tests/fuzz/fuzz_request.c $(FUZZ_ANSWER)
tests_fuzz_replay_request_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_request_LDADD = $(FUZZ_LIBS)
FUZZ_TESTS += tests/fuzz/replay_csv
tests_fuzz_replay_csv_SOURCES = tests/fuzz/fuzz_csv.c
tests_fuzz_replay_csv_LDADD = tests/fuzz/libreplay.la libstorefile.la libbase.la $(CSV_LIBS) $(CDB_LIBS)
if SIGN_OPENSSL
FUZZ_TESTS += tests/fuzz/replay_certificate
tests_fuzz_replay_certificate_SOURCES = tests/fuzz/fuzz_certificate.c $(FUZZ_SCENE)
tests_fuzz_replay_certificate_CPPFLAGS = $(FUZZ_SCENE_CPPFLAGS)
tests_fuzz_replay_certificate_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
tests_fuzz_replay_certificate_LDADD = $(FUZZ_LIBS) $(OPENSSL_LIBS)
endif
endif
if STORE_REST
FUZZ_TESTS += tests/fuzz/replay_rest_answer tests/fuzz/replay_rest_place tests/fuzz/replay_rest_template \
	tests/fuzz/replay_rest_token
REST_FUZZ_LIBS = tests/fuzz/libreplay.la libstorerest.la libjson.la libbase.la $(CURL_LIBS) $(JSON_LIBS)
tests_fuzz_replay_rest_answer_SOURCES = tests/fuzz/fuzz_rest_answer.c
tests_fuzz_replay_rest_answer_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
tests_fuzz_replay_rest_answer_LDADD = $(REST_FUZZ_LIBS)
tests_fuzz_replay_rest_template_SOURCES = tests/fuzz/fuzz_rest_template.c
tests_fuzz_replay_rest_template_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
tests_fuzz_replay_rest_template_LDADD = $(REST_FUZZ_LIBS)
tests_fuzz_replay_rest_place_SOURCES = tests/fuzz/fuzz_rest_place.c
tests_fuzz_replay_rest_place_LDADD = $(REST_FUZZ_LIBS)
tests_fuzz_replay_rest_token_SOURCES = tests/fuzz/fuzz_rest_token.c
tests_fuzz_replay_rest_token_LDADD = $(REST_FUZZ_LIBS)
endif
if STORE_SQLITE
FUZZ_TESTS += tests/fuzz/replay_sql_query
tests_fuzz_replay_sql_query_SOURCES = tests/fuzz/fuzz_sql_query.c
tests_fuzz_replay_sql_query_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_fuzz_replay_sql_query_LDADD = tests/fuzz/libreplay.la libsql.la libbase.la $(SQLITE_LIBS)
endif
if STORE_LDAP
FUZZ_TESTS += tests/fuzz/replay_ldap tests/fuzz/replay_ldap_answer
tests_fuzz_replay_ldap_SOURCES = tests/fuzz/fuzz_ldap.c
tests_fuzz_replay_ldap_LDADD = tests/fuzz/libreplay.la libstoreldap.la libbase.la $(OPENLDAP_LIBS)
tests_fuzz_replay_ldap_answer_SOURCES = tests/fuzz/fuzz_ldap_answer.c
tests_fuzz_replay_ldap_answer_LDADD = tests/fuzz/libreplay.la libstoreldap.la libbase.la $(OPENLDAP_LIBS)
endif
check_PROGRAMS += $(FUZZ_TESTS)
TESTS += $(FUZZ_TESTS)
EXTRA_DIST += tests/fuzz/README tests/fuzz/corpus tests/fuzz/answer.c tests/fuzz/answer.h \
	tests/fuzz/fuzz_access_token.c tests/fuzz/fuzz_cdb.c tests/fuzz/fuzz_certificate.c tests/fuzz/fuzz_cgi.c \
	tests/fuzz/fuzz_config.c tests/fuzz/fuzz_csv.c tests/fuzz/fuzz_denied_file.c tests/fuzz/fuzz_status.c \
	tests/fuzz/fuzz_figures_file.c tests/fuzz/fuzz_keys.c tests/fuzz/fuzz_ldap.c tests/fuzz/fuzz_ldap_answer.c \
	tests/fuzz/fuzz_members.c tests/fuzz/fuzz_request.c tests/fuzz/members_host.c tests/fuzz/members_host.h \
	tests/fuzz/scene.c tests/fuzz/scene.h \
	tests/fuzz/fuzz_rest_answer.c tests/fuzz/fuzz_rest_place.c tests/fuzz/fuzz_rest_template.c \
	tests/fuzz/fuzz_rest_token.c tests/fuzz/fuzz_sql_query.c tests/fuzz/run.sh

.PHONY: fuzz
fuzz:
	FUZZ_JOBS='$(FUZZ_JOBS)' $(SHELL) $(srcdir)/tests/fuzz/run.sh $(srcdir) $(FUZZ_SECONDS) $(FUZZ_ONLY)
clean-local:
	rm -rf build-fuzz build-analyze build-coverage

# ---- Faults: the n-th allocation or system call fails: tests/faults/README ----

FAULTS_EVERY = 1
DEBIAN_PYTHON3 = /usr/bin/python3
FAULTS_ONLY =
check_LTLIBRARIES += tests/faults/shim.la
tests_faults_shim_la_SOURCES = tests/faults/shim.c
tests_faults_shim_la_CPPFLAGS =
tests_faults_shim_la_CFLAGS = -std=gnu11 $(WARNINGS)
tests_faults_shim_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere
EXTRA_DIST += tests/faults

.PHONY: faults
faults: all tests/faults/shim.la
	MEMBERCHAT_BUILD='$(abs_top_builddir)' FAULTS_EVERY='$(FAULTS_EVERY)' \
		$(DEBIAN_PYTHON3) -B $(srcdir)/tests/faults/run.py $(FAULTS_ONLY)

# ---- Load: a thousand connections while everything is restarted: tests/load/README ----

LOAD_SECONDS = 60
LOAD_CONNECTIONS = 1000
EXTRA_DIST += tests/load

.PHONY: load
load: all
	MEMBERCHAT_BUILD='$(abs_top_builddir)' LOAD_SECONDS='$(LOAD_SECONDS)' LOAD_CONNECTIONS='$(LOAD_CONNECTIONS)' \
		$(DEBIAN_PYTHON3) -B $(srcdir)/tests/load/run.py
.PHONY: machines
machines: all
	MEMBERCHAT_BUILD='$(abs_top_builddir)' $(DEBIAN_PYTHON3) -B $(srcdir)/tests/load/machines.py

# ---- No two files call each other ----

EXTRA_DIST += tests/house/calls.py
if HAVE_PYTHON
TESTS += tests/house/calls.py
endif

# ---- What the tests reach, and what analyzers find ----

.PHONY: coverage analyze
coverage:
	$(SHELL) $(srcdir)/tools/coverage.sh $(srcdir) $(DEBIAN_PYTHON3) $(COVERAGE_TESTS)
analyze: all
	@$(SHELL) $(srcdir)/tests/analyze/run.sh $(srcdir) $(DEFS) -I$(abs_top_builddir)/src $(AM_CPPFLAGS) \
		$(JSON_CFLAGS) $(NETTLE_CFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS) $(MARIADB_CFLAGS) $(PQ_CFLAGS) \
		$(SQLITE_CFLAGS) -DDEFAULT_RESPONDER='""'
EXTRA_DIST += tests/analyze

# ---- Manual, sample configuration and key tables, held against each other ----

check_PROGRAMS += tests/docs/print_keys
tests_docs_print_keys_LDADD = libmemberchat.la
if HAVE_PYTHON
if STORE_FILE
TESTS += tests/docs/keys.py
endif
endif
TESTS += tests/docs/install.sh tests/docs/lint.sh tests/docs/recipes.sh tests/house/apt_lock.sh tests/house/configure.sh
if STORE_REST
if STORE_SQLITE
if STORE_MYSQL
TESTS += tests/house/older.sh
endif
endif
endif
if HAVE_PYTHON
TESTS += tests/house/includes.py tests/house/sizes.py tests/docs/api.py tests/docs/codes.py
endif
EXTRA_DIST += tests/docs/keys.py tests/docs/api.py tests/docs/codes.py tests/docs/install.sh tests/docs/lint.sh tests/docs/recipes.sh tests/house/apt_lock.sh tests/house/includes.py tests/house/looks.py tests/house/sizes.py \
	tests/house/configure.sh tests/house/older.sh

# ---- Tests behind real servers, which test.sh runs ----

EXTRA_DIST += tests/system tests/openapi
dist-hook:
	find $(distdir)/tests \( -name __pycache__ -o -name node_modules \) -prune -exec rm -rf {} +

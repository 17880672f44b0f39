# SPDX-License-Identifier: MIT
# Tests that need no server: make check.
#   make check CHECK_WRAP='valgrind -q --error-exitcode=99'   the programs under valgrind
#   make fuzz FUZZ_SECONDS=20                                 with clang; see tests/fuzz/README

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
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	MALLOC_PERTURB_=165; export MALLOC_PERTURB_; \
	CC='$(CC)'; CXX='$(CHECK_CXX)'; NM='$(NM)'; MANDOC='$(MANDOC)'; \
	export CC CXX NM MANDOC;

PLUGIN_OBJDIR = $(abs_top_builddir)/.libs
TEST_PLUGIN_OBJDIR = $(abs_top_builddir)/tests/plugins/.libs

# ---- Plugins for tests: good and bad ones; tests/plugins/.libs/store_NAME.so ----

TEST_PLUGIN_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere \
	$(PLUGIN_NO_UNDEFINED)

check_LTLIBRARIES += \
	tests/plugins/store_bad_keys.la \
	tests/plugins/store_bad_keys_twice.la \
	tests/plugins/store_bad_name.la \
	tests/plugins/store_bad_newer_abi.la \
	tests/plugins/store_bad_nosymbol.la \
	tests/plugins/store_bad_null.la \
	tests/plugins/store_bad_openfails.la \
	tests/plugins/store_bad_outcome.la \
	tests/plugins/store_bad_result.la \
	tests/plugins/store_bad_short_struct.la \
	tests/plugins/store_serial.la \
	tests/plugins/store_slow.la
tests_plugins_store_bad_keys_la_SOURCES = tests/plugins/bad_keys.c tests/plugins/test_store.h
tests_plugins_store_bad_keys_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_bad_keys_twice_la_SOURCES = tests/plugins/bad_keys_twice.c
tests_plugins_store_bad_keys_twice_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_bad_name_la_SOURCES = tests/plugins/bad_name.c
tests_plugins_store_bad_name_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_bad_newer_abi_la_SOURCES = tests/plugins/bad_newer_abi.c
tests_plugins_store_bad_newer_abi_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_bad_nosymbol_la_SOURCES = tests/plugins/bad_nosymbol.c
tests_plugins_store_bad_nosymbol_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_bad_null_la_SOURCES = tests/plugins/bad_null.c
tests_plugins_store_bad_null_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_bad_openfails_la_SOURCES = tests/plugins/bad_openfails.c
tests_plugins_store_bad_openfails_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_bad_outcome_la_SOURCES = tests/plugins/bad_outcome.c
tests_plugins_store_bad_outcome_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_bad_result_la_SOURCES = tests/plugins/bad_result.c
tests_plugins_store_bad_result_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_bad_short_struct_la_SOURCES = tests/plugins/bad_short_struct.c
tests_plugins_store_bad_short_struct_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_serial_la_SOURCES = tests/plugins/store_serial.c
tests_plugins_store_serial_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_slow_la_SOURCES = tests/plugins/store_slow.c
tests_plugins_store_slow_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)

# ---- Unit tests: a program a module ----

if HAVE_CMOCKA
AM_CPPFLAGS += $(CMOCKA_CFLAGS)

check_LTLIBRARIES += tests/unit/libsupport.la
tests_unit_libsupport_la_SOURCES = \
	tests/unit/records.c tests/unit/records.h tests/unit/stub_store.c \
	tests/unit/stub_store.h tests/unit/support.c tests/unit/support.h
tests_unit_libsupport_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DPLUGINS='"$(PLUGIN_OBJDIR)"' -DTEST_PLUGINS='"$(TEST_PLUGIN_OBJDIR)"'

LDADD = tests/unit/libsupport.la libmemberchat.la $(CMOCKA_LIBS)
RESIDENT_LIBS = tests/unit/libsupport.la libresident.la $(CMOCKA_LIBS)

UNIT_TESTS = \
	tests/unit/test_breaker \
	tests/unit/test_cache \
	tests/unit/test_cgi \
	tests/unit/test_config \
	tests/unit/test_config_fill \
	tests/unit/test_config_value \
	tests/unit/test_conn \
	tests/unit/test_cors \
	tests/unit/test_credentials \
	tests/unit/test_crypto \
	tests/unit/test_directory \
	tests/unit/test_frame \
	tests/unit/test_gate \
	tests/unit/test_guest \
	tests/unit/test_handler \
	tests/unit/test_http \
	tests/unit/test_json \
	tests/unit/test_json_gate \
	tests/unit/test_keys \
	tests/unit/test_ksuid \
	tests/unit/test_listen \
	tests/unit/test_load \
	tests/unit/test_log \
	tests/unit/test_member \
	tests/unit/test_net \
	tests/unit/test_plugin \
	tests/unit/test_reply \
	tests/unit/test_route \
	tests/unit/test_server \
	tests/unit/test_settings \
	tests/unit/test_settings_app \
	tests/unit/test_snapshot \
	tests/unit/test_store \
	tests/unit/test_strbuf \
	tests/unit/test_text \
	tests/unit/test_token

tests_unit_test_cgi_LDADD = $(RESIDENT_LIBS)
tests_unit_test_conn_LDADD = $(RESIDENT_LIBS)
tests_unit_test_listen_LDADD = $(RESIDENT_LIBS)
tests_unit_test_server_LDADD = $(RESIDENT_LIBS)
tests_unit_test_snapshot_LDADD = $(RESIDENT_LIBS)

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

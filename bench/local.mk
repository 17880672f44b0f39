# make bench: memberchat beside its peers.  Needs lighttpd, wrk, php-fpm, php-cgi
# and PHP's opcache, SQLite and mysqli extensions, nginx, slapd, mariadb-server and openssl; not a part of make check.
#   make bench BENCH_SECONDS=1 BENCH_ROUNDS=2     a quick look
#   make bench BENCH_ONLY="cgi"                   one part of: resident file cgi ldap rest sql token flood

BENCH_PEERS = bench/peers/hello_fcgi bench/peers/hello_cgi bench/peers/spawn \
	bench/peers/load_store bench/peers/token_rate \
	bench/peers/figures_rate
EXTRA_PROGRAMS = $(BENCH_PEERS)
bench_peers_hello_fcgi_SOURCES = bench/peers/hello_fcgi.c
bench_peers_hello_fcgi_LDADD = $(FCGI_LIBS)
bench_peers_hello_cgi_SOURCES = bench/peers/hello_cgi.c
bench_peers_spawn_SOURCES = bench/peers/spawn.c bench/peers/clocks.h
bench_peers_load_store_SOURCES = bench/peers/load_store.c bench/peers/clocks.h
bench_peers_load_store_LDADD = $(CSV_LIBS)
bench_peers_token_rate_SOURCES = bench/peers/token_rate.c
bench_peers_token_rate_LDADD = libmemberchat.la
bench_peers_figures_rate_SOURCES = bench/peers/figures_rate.c
bench_peers_figures_rate_LDADD = libmemberchat.la

BENCH_PEERS += bench/peers/delay_proxy
bench_peers_delay_proxy_SOURCES = bench/peers/delay_proxy.c bench/peers/clocks.h
if STORE_LDAP
BENCH_PEERS += bench/peers/ldap_loop
bench_peers_ldap_loop_SOURCES = bench/peers/ldap_loop.c bench/peers/clocks.h
bench_peers_ldap_loop_LDADD = $(OPENLDAP_LIBS)
endif

if STORE_REST
BENCH_PEERS += bench/peers/rest_loop bench/peers/slow_http bench/peers/store_loop
bench_peers_rest_loop_SOURCES = bench/peers/rest_loop.c bench/peers/clocks.h
bench_peers_rest_loop_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
bench_peers_rest_loop_LDADD = $(CURL_LIBS)
bench_peers_slow_http_SOURCES = bench/peers/slow_http.c bench/peers/clocks.h
bench_peers_store_loop_SOURCES = bench/peers/store_loop.c bench/peers/clocks.h
bench_peers_store_loop_LDADD = libmemberchat.la
endif

if STORE_MYSQL
if STORE_SQLITE
BENCH_PEERS += bench/peers/sql_loop bench/peers/sql_fcgi bench/peers/mysql_cgi \
	bench/peers/sqlite_cgi
bench_peers_sql_loop_SOURCES = bench/peers/sql_loop.c bench/peers/clocks.h
bench_peers_sql_loop_CFLAGS = $(AM_CFLAGS) $(MARIADB_CFLAGS)
bench_peers_sql_loop_LDADD = $(MARIADB_LIBS)
bench_peers_sql_fcgi_SOURCES = bench/peers/sql_fcgi.c
bench_peers_sql_fcgi_CFLAGS = $(AM_CFLAGS) $(MARIADB_CFLAGS)
bench_peers_sql_fcgi_LDADD = $(MARIADB_LIBS)
bench_peers_mysql_cgi_SOURCES = bench/peers/mysql_cgi.c
bench_peers_mysql_cgi_CFLAGS = $(AM_CFLAGS) $(MARIADB_CFLAGS)
bench_peers_mysql_cgi_LDADD = $(MARIADB_LIBS)
bench_peers_sqlite_cgi_SOURCES = bench/peers/sqlite_cgi.c
bench_peers_sqlite_cgi_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
bench_peers_sqlite_cgi_LDADD = $(SQLITE_LIBS)
endif
endif

BENCH_FILES = bench/run.py bench/process.py bench/fixtures.py bench/resident.py \
	bench/cgi_process.py bench/filestore.py bench/report.py bench/chart.py \
	bench/ldap_store.py bench/rest.py bench/sql.py bench/tokens.py bench/flood.py
EXTRA_DIST += $(BENCH_FILES) bench/peers/api.php bench/peers/load.lua bench/chart.svg

CLEANFILES += $(BENCH_PEERS) bench/results.txt bench/results.json bench/results.svg

.PHONY: bench bench-programs
bench-programs: all # not beside it: each would make what both need
	$(MAKE) $(AM_MAKEFLAGS) $(BENCH_PEERS)
if STATIC_CGI
BENCH_KIT = kit
endif
bench: bench-programs $(BENCH_KIT)
if HAVE_PYTHON
	@BENCH_SECONDS="$(BENCH_SECONDS)" BENCH_ROUNDS="$(BENCH_ROUNDS)" BENCH_ONLY="$(BENCH_ONLY)" \
		PYTHONDONTWRITEBYTECODE=1 $(PYTHON) $(srcdir)/bench/run.py $(builddir)
else
	@echo "make bench needs Python 3 (Debian: apt-get install python3)" >&2; exit 1
endif

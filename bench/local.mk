# make bench: memberchat beside its peers.  Needs lighttpd, wrk, php-fpm, php-cgi
# and PHP's opcache and SQLite extensions; not a part of make check.
#   make bench BENCH_SECONDS=1 BENCH_ROUNDS=2     a quick look
#   make bench BENCH_ONLY="cgi"                   one part of: resident file cgi

BENCH_PEERS = bench/peers/hello_fcgi bench/peers/hello_cgi bench/peers/spawn \
	bench/peers/load_store
EXTRA_PROGRAMS = $(BENCH_PEERS)
bench_peers_hello_fcgi_SOURCES = bench/peers/hello_fcgi.c
bench_peers_hello_fcgi_LDADD = $(FCGI_LIBS)
bench_peers_hello_cgi_SOURCES = bench/peers/hello_cgi.c
bench_peers_spawn_SOURCES = bench/peers/spawn.c
bench_peers_load_store_SOURCES = bench/peers/load_store.c
bench_peers_load_store_LDADD = $(CSV_LIBS)

BENCH_FILES = bench/run.py bench/process.py bench/fixtures.py bench/resident.py \
	bench/cgi_process.py bench/filestore.py bench/report.py bench/chart.py
EXTRA_DIST += $(BENCH_FILES) bench/peers/api.php bench/peers/load.lua

CLEANFILES += $(BENCH_PEERS) bench/results.txt bench/results.json bench/chart.svg

.PHONY: bench
bench: all $(BENCH_PEERS)
if HAVE_PYTHON
	@BENCH_SECONDS="$(BENCH_SECONDS)" BENCH_ROUNDS="$(BENCH_ROUNDS)" BENCH_ONLY="$(BENCH_ONLY)" \
		PYTHONDONTWRITEBYTECODE=1 $(PYTHON) $(srcdir)/bench/run.py $(builddir)
else
	@echo "make bench needs Python 3 (Debian: apt-get install python3)" >&2; exit 1
endif

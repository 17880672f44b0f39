# SPDX-License-Identifier: MIT
# The manual: a page a program, a page a store, one for the configuration, one
# for the plugin interface.

dist_man_MANS += \
	man/memberchat.1 \
	man/memberchat-store.3 \
	man/memberchat-store-file.5 \
	man/memberchat-store-ldap.5 \
	man/memberchat-store-rest.5 \
	man/memberchat-store-sql.5 \
	man/memberchat.conf.5 \
	man/memberchat.fcgi.8

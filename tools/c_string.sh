#!/bin/sh
# SPDX-License-Identifier: MIT
# c_string.sh FILE: a JSON file as a C string, without its indentation.
exec sed -e 's/^ *//' -e 's/[\"]/\\&/g' -e 's/.*/"&"/' "$1"

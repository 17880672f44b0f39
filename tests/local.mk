# Tests that need no server: make check.

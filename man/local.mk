# The manual: a page a program, a page a store, one for the configuration, one
# for the plugin interface.

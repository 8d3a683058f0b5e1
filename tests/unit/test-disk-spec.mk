# Xen's own parser, of libxen-dev, as the oracle.
ARGS_test-disk-spec := -lxlutil -lxenlight

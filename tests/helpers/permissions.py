"""Permissions of files, for tests that may run as root."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def permissions_that_count() -> Iterator[None]:
    """Let root, too, be refused what a file's permissions forbid, until the block ends.

    Takes CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, bits 1 and 2, from what this thread uses of its
    capabilities: https://man7.org/linux/man-pages/man2/capset.2.html
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    before = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, before) == 0
    less = (ctypes.c_uint32 * 6)(before[0] & ~0b110, *before[1:])
    assert libc.capset(header, less) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0

"""How this process holds on to memory."""

import ctypes
import platform

# Of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Let this process keep large blocks of memory that it frees, for the next ones that it needs.

    glibc hands them back to the system and has them zeroed again each time. That is 20,000 page
    faults and a tenth of the time in a step of training on a CPU, and a third in the pass over
    Open Images' CSV.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; PyTorch and OpenCV say so in words on a CPU."""
    words = ("out of memory", "can't allocate memory", "Insufficient memory", "bad_alloc")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)

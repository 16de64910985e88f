"""How much memory this process may have, and how it holds on to it."""

import ctypes
import errno
import platform
import resource
from pathlib import Path

# Where the kernel shows groups of processes that share a limit, such as a container.
# https://docs.kernel.org/admin-guide/cgroup-v2.html
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
# How PyTorch, OpenCV and libjpeg, C++, Python, the system's loader and ONNX Runtime say that memory
# ran out.
OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "Insufficient memory",
    "bad_alloc",
    "can't start new thread",
    "failed to map segment",
    "Cannot allocate memory",
    "Failed to allocate memory",
)
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
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    return any(words in str(error) for words in OUT_OF_MEMORY)


def available_bytes() -> int:
    """Memory that this process can still have: of the machine, of its container, by its limits."""
    # It takes a while to import, and few stages ask.
    import psutil

    free = [int(psutil.virtual_memory().available), *_free_in_cgroups()]
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        free.append(limit - int(psutil.Process().memory_info().vms))
    return max(0, min(free))


def _free_in_cgroups() -> list[int]:
    """What each group of processes that this one is in may still have, where it has a limit."""
    free = []
    for folder in _own_cgroups():
        for limit, used, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            try:
                statistics = dict(map(str.split, (folder / "memory.stat").read_text().splitlines()))
                taken = int((folder / used).read_text()) - int(statistics[cache])
                free.append(int((folder / limit).read_text()) - taken)
            # There is no such file, or it says `max`.
            except (OSError, ValueError, KeyError):
                continue
    return free


def _own_cgroups() -> list[Path]:
    """The folders of the groups that this process is in; a group is in those above it, too."""
    folders = [CGROUPS, CGROUPS / "memory"]
    try:
        lines = OWN_CGROUPS.read_text().splitlines()
    except OSError:
        return folders
    for _, controllers, path in (line.split(":", 2) for line in lines):
        top = CGROUPS / "memory" if "memory" in controllers.split(",") else CGROUPS
        if not controllers or top != CGROUPS:
            own = top / path.lstrip("/")
            folders += [own, *(above for above in own.parents if above.is_relative_to(top))]
    return list(dict.fromkeys(folders))

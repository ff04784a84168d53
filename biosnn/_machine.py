"""What this machine has: cores, and memory that is free."""

from __future__ import annotations

import os
import platform


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int | None:
    """Bytes of memory that can be taken without swapping; None where the system does not tell."""
    try:
        with open("/proc/meminfo") as f:
            free = next(int(line.split()[1]) * 1024 for line in f if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        try:
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (AttributeError, ValueError, OSError):
            return None
    limit = _cgroup_limit()
    return min(free, limit) if limit is not None else free


def _cgroup_limit() -> int | None:
    """What is left of a container's memory limit."""
    try:
        with open("/sys/fs/cgroup/memory.max") as f:
            most = f.read().strip()
        with open("/sys/fs/cgroup/memory.current") as f:
            return None if most == "max" else int(most) - int(f.read())
    except (OSError, ValueError):
        return None


def processor() -> str:
    """What the processor is called, as far as the system tells."""
    try:
        with open("/proc/cpuinfo") as f:
            return next(line.partition(":")[2].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()

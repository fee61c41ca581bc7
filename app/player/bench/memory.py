"""Memory of this process and of its GPU."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

MB = 1e6


def memory_mb() -> dict[str, float | None]:
    """Resident memory now and at its peak, and the peak that torch allocated on the GPU.

    None where the system does not tell, or without a GPU.
    """
    cuda = torch.cuda.is_available()
    resident, peak = resident_mb(), _peak_mb()
    return {
        "resident": resident,
        # the system updates its peak late
        "resident_peak": max(peak, resident) if peak and resident else peak,
        "gpu_peak": torch.cuda.max_memory_allocated() / MB if cuda else None,
    }


def resident_mb() -> float | None:
    """Resident memory of this process now; None where the system has no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    import resource

    return pages * resource.getpagesize() / MB


def _peak_mb() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MB if sys.platform == "darwin" else peak * 1024 / MB

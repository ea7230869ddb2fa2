"""Which of its kernels OpenBLAS should use: to be said before NumPy is imported.

NumPy's own OpenBLAS (0.3.31) does not know AMD's Zen 5 and falls back to AVX2 kernels there, at
half the speed of the AVX-512 ones that it also has: 118 against 218 GFLOP/s for a float32 product
on one core of an EPYC of that family. An environment variable of OpenBLAS chooses; it is read once,
when NumPy loads it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["choose_kernels"]

VARIABLE = "OPENBLAS_CORETYPE"
AVX512_OF_SKYLAKE_X = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}


def choose_kernels(processor_file: Path = Path("/proc/cpuinfo")) -> None:
    """Asks OpenBLAS for its AVX-512 kernels on AMD processors that have AVX-512 (Linux).

    Does nothing when NumPy is loaded already, or when the user has made a choice. The choice
    affects the last bits of every result, as another processor does.
    """
    if "numpy" in sys.modules or VARIABLE in os.environ:
        return
    try:
        text = processor_file.read_text()
    except OSError:
        return
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    if "AuthenticAMD" in text and set(flags.split()) >= AVX512_OF_SKYLAKE_X:
        os.environ[VARIABLE] = "SkylakeX"

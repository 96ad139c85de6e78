"""Which environment variables the supervisor's children get: no more than they need."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["COOKIE", "FOR_WORKERS", "passed_on", "settings_in"]

COOKIE = "CPW_COOKIE"
"""By this variable a process of ours is known: it holds the runtime directory."""
FOR_WORKERS = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
"""glibc asks the kernel for large pages. Models take and give back many megabytes at each layer, and the
kernel clears every page of them: Whisper's encoder takes a fifth less time (docs/adr/0020). Other C libraries
ignore it."""
_NAMES = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "USER", "LOGNAME", "LD_LIBRARY_PATH", "GLIBC_TUNABLES")
# Those of the computing libraries choose threads and instructions: a person may have to for their processor.
_COMPUTING_PREFIXES = ("CUDA_", "NVIDIA_", "OMP_", "MKL_", "CT2_", "ONEDNN_", "ATEN_")
_TLS_PREFIXES = ("RAY_USE_TLS", "RAY_TLS_")
"""Certificates for the connections between the machines of a cluster, as Ray names them."""
_OURS = (COOKIE, "CPW_CONTROL_FD", "CPW_FAILPOINT")
"""The program itself sets these."""
_PREFIXES = ("LC_", "XDG_", "CPW_", *_TLS_PREFIXES, *_COMPUTING_PREFIXES)


def passed_on(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those of the supervisor's own variables that its children get, and that text is UTF-8."""
    found = {name: value for name, value in variables.items() if name in _NAMES or name.startswith(_PREFIXES)}
    return found | {"PYTHONUTF8": "1"}


def settings_in(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those variables by which a person sets up the house: ours, and those of computing libraries."""
    return {
        name: value
        for name, value in sorted(variables.items())
        if name.startswith(("CPW_", *_TLS_PREFIXES, *_COMPUTING_PREFIXES)) and not name.startswith(_OURS)
    }

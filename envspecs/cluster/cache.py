"""How much of its disk a node of a cluster may fill with files of the head's jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from protocol.errors import UsageError

__all__ = ["node_cache_bytes"]

_VARIABLE = "CPW_NODE_CACHE"
_MOST_BYTES = 20 * 10**9
_SHARE = 10
_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d{1,6}) ?(MB|GB|TB)")


def node_cache_bytes(environ: Mapping[str, str], disk_bytes: int) -> int:
    """Return what `CPW_NODE_CACHE` says; without it 20 GB, or a tenth of the disk where that is less.

    Raises `UsageError` where the variable is no size.
    """
    text = environ.get(_VARIABLE, "").strip()
    if not text:
        return min(_MOST_BYTES, disk_bytes // _SHARE)
    found = _SIZE.fullmatch(text.upper())
    if found is None:
        message = f"{_VARIABLE} is {text!r}, not a size."
        raise UsageError(message, f"Write for instance: {_VARIABLE}=20GB, {_VARIABLE}=500MB")
    return int(found[1]) * _UNITS[found[2]]

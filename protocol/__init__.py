"""What two rooms share: messages, errors, times, stage contracts. Standard library and msgpack only."""

from __future__ import annotations

PROTOCOL_VERSION = 1
"""Version of the wire; `docs/protocol.md` is its document and a test ties the two together."""

OLDEST_SUPPORTED_VERSION = 1
"""Oldest wire version this code still speaks."""

"""A glossary: how names and terms are to be written, and what they are called in other languages."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.schema import SPARSE

__all__ = ["Term"]


@dataclass(frozen=True, kw_only=True)
class Term:
    """A row of a glossary."""

    source: str
    """As it is said, and written in the film's own language."""
    target: str = field(default="", metadata=SPARSE)
    """As it is written in a translation; empty: as it is in the source."""
    language: str = field(default="", metadata=SPARSE)
    """BCP 47 tag of the translations that `target` is for; empty: all."""
    note: str = field(default="", metadata=SPARSE)
    """What it is, for a translator that reads: `a village`."""

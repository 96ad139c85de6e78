"""Writes a track as JSON for other programs: the words, the cues and what made both. Pure."""

from __future__ import annotations

import json
from dataclasses import replace

from protocol.schema import to_plain
from workers.engines.common.formats.base import Writable

__all__ = ["write"]


def write(track: Writable) -> str:
    """Return the `Transcript` with its words, languages and confidences; its cues; and what made both.

    Every segment says what wrote its text, also where that is what wrote the whole transcript.
    """
    segments = tuple(
        replace(segment, engine=segment.engine or track.transcript.engine)
        for segment in track.transcript.segments
    )
    document = {
        "version": 1,
        **to_plain(replace(track.transcript, segments=segments)),
        "cues": to_plain(track.cues),
        "provenance": {**track.made_by, "profile": track.profile, "rules": to_plain(track.rules)},
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"

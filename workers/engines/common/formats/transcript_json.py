"""Writes a track as JSON for other programs: the words, the cues and what made both. Pure."""

from __future__ import annotations

import json
from dataclasses import replace

from protocol.schema import to_plain
from protocol.timeline import Speaker
from workers.engines.common.formats.base import Writable

__all__ = ["write"]


def write(track: Writable) -> str:
    """Return the `Transcript` with its words, languages and confidences; its cues; and what made both.

    Every segment says what wrote its text, also where that is what wrote the whole transcript. Where speakers
    are known, words have the id of one, cues one for each line, and `speakers` tells who they are.
    """
    speakers = track.transcript.speakers
    rules = to_plain(track.rules)
    if speakers:
        rules["hyphens"] = list(track.rules.hyphens)
    else:
        rules.pop("hyphens", None)
    segments = tuple(
        replace(segment, engine=segment.engine or track.transcript.engine)
        for segment in track.transcript.segments
    )
    document = {
        "version": 1,
        **to_plain(replace(track.transcript, segments=segments)),
        **({"speakers": [_told(speaker) for speaker in speakers]} if speakers else {}),
        "cues": to_plain(track.cues),
        "provenance": {**track.made_by, "profile": track.profile, "rules": rules},
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _told(speaker: Speaker) -> dict[str, str | int]:
    """Return who a speaker is; without a name, the name is there and empty."""
    return {"id": speaker.id, "name": speaker.name, "speech_ms": speaker.speech_ms}

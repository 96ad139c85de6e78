"""Quick engines for who speaks: a film's bytes say whose voices are in it, and subtitles write names down."""

from __future__ import annotations

import json
import math
import random

from protocol.artefacts import write_json
from protocol.jobs.voices import VOICES, Voice, Voices
from protocol.schema import to_plain
from protocol.stages.diarize import DiarizeRequest, DiarizeResult
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.timeline import Speaker, Turn
from tests.ill.engines import FakeSubtitle
from workers.engine import Context, Models

__all__ = ["NamingSubtitle", "PlayedDiarize", "spoken_by"]

_BEGINS = "spoken by "
_LENGTH = 192
_TURN_MS = 420
"""As long as one of the words of `FakeAlign` with its pause."""


def spoken_by(*people: str) -> bytes:
    """Return a film in which these people speak, one after the other."""
    return f"{_BEGINS}{' '.join(people)}".encode()


class PlayedDiarize:
    """Hears the people that the film's bytes name; the voice of one is nearly the same in every film."""

    stage = "diarize"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: DiarizeRequest, context: Context) -> DiarizeResult:
        text = context.input(request.audio).read_bytes().decode(errors="replace")
        people = text.removeprefix(_BEGINS).split() if text.startswith(_BEGINS) else ["somebody"]
        turns, voices = [], []
        for place, person in enumerate(people):
            start_ms = 80 + place * _TURN_MS
            turns.append(Turn(start_ms=start_ms, end_ms=start_ms + _TURN_MS - 20, speaker=str(place + 1)))
            embedding = _voice(person, text)
            voices.append(Voice(id=str(place + 1), speech_ms=_TURN_MS - 20, embedding=embedding))
        write_json(context.output("turns.json"), {"version": 1, "turns": to_plain(turns)})
        write_json(context.output(VOICES), to_plain(Voices(model="played", voices=tuple(voices))))
        return DiarizeResult(
            turns=tuple(turns),
            speakers=tuple(Speaker(id=voice.id, speech_ms=voice.speech_ms) for voice in voices),
            timeline=context.publish("turns.json"),
            voices=context.publish(VOICES),
            model="played",
            device="cpu",
        )


def _voice(person: str, film: str) -> tuple[float, ...]:
    own, here = random.Random(person), random.Random(f"{person} in {film}")
    found = [own.gauss(0, 1) + 0.3 * here.gauss(0, 1) for _ in range(_LENGTH)]
    length = math.hypot(*found)
    return tuple(value / length for value in found)


class NamingSubtitle(FakeSubtitle):
    """Writes its cue, and beside it the names that it was given."""

    def run(self, request: SubtitleRequest, context: Context) -> SubtitleResult:
        context.output("names.json").write_text(json.dumps(request.speaker_names))
        context.publish("names.json")
        return super().run(request, context)

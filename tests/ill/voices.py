"""Quick engines for who speaks: a film's bytes say whose voices are in it, and subtitles write names down."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

from protocol.artefacts import read_json_as, write_json
from protocol.jobs.voices import VOICES, Voice, Voices
from protocol.schema import to_plain
from protocol.stages.clean import CleanRequest, CleanResult
from protocol.stages.diarize import DiarizeRequest, DiarizeResult
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.timeline import Speaker, Transcript, Turn
from tests.ill.engines import FakeClean
from workers.engine import Context, Models
from workers.engines.common.subtitle import CueSubtitle
from workers.text.speakers import with_speakers

__all__ = ["NamingSubtitle", "PlayedDiarize", "SpokenClean", "spoken_by"]

_BEGINS = "spoken by "
_LENGTH = 192
_TURN_MS = 420
"""As long as one of the words of `FakeAlign` with its pause."""
_LONG_TURNS, _LONG_MS = 6, 3_000
"""In any other film two people speak, by turns."""


def spoken_by(*people: str) -> bytes:
    """Return a film in which these people speak, one after the other."""
    return f"{_BEGINS}{' '.join(people)}".encode()


class PlayedDiarize:
    """Hears the people that the film's bytes name, or two; a person's voice is nearly the same everywhere."""

    stage = "diarize"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: DiarizeRequest, context: Context) -> DiarizeResult:
        text = context.input(request.audio).read_bytes().decode(errors="replace")
        named = text.startswith(_BEGINS)
        people = text.removeprefix(_BEGINS).split() if named else ["somebody", "another"]
        turns, voices = [], []
        for number in range(len(people) if named else _LONG_TURNS):
            start_ms, length_ms = 80 + number * _TURN_MS, _TURN_MS
            if not named:
                start_ms, length_ms = number * _LONG_MS, _LONG_MS
            speaker = str(number % len(people) + 1)
            turns.append(Turn(start_ms=start_ms, end_ms=start_ms + length_ms - 20, speaker=speaker))
        for place, person in enumerate(people):
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


class SpokenClean(FakeClean):
    """Takes nothing out, and gives the words their speakers."""

    def run(self, request: CleanRequest, context: Context) -> CleanResult:
        done = super().run(request, context)
        heard = read_json_as(Transcript, context.output("transcript.json"))
        write_json(context.output("transcript.json"), to_plain(with_speakers(heard, request.turns)))
        return replace(done, transcript=context.publish("transcript.json"))


class NamingSubtitle(CueSubtitle):
    """Cuts in earnest, and writes beside its files the names that it was given."""

    def run(self, request: SubtitleRequest, context: Context) -> SubtitleResult:
        context.output("names.json").write_text(json.dumps(request.speaker_names))
        context.publish("names.json")
        return super().run(request, context)

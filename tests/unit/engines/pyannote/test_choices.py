"""What a person may ask of vad, and what is refused before anything is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.artefacts import Artefact
from protocol.errors import UsageError
from protocol.stages.vad import VadRequest
from workers.engines.pyannote.vad import refuse_unfit, rule_of
from workers.speech.voice_activity import SpeechRule

FILE = Artefact(path="a.wav", size=0, sha256="")


@pytest.mark.parametrize(
    "options",
    [
        {"method": "webrtc"},
        {"onset": 0.3, "offset": 0.5},
        {"onset": 1.0},
        {"onset": 0.4, "offset": -0.1},
        {"onset": float("nan")},
    ],
)
def test_a_request_that_no_model_could_grant_is_refused_in_a_sentence(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"\.$") as caught:
        refuse_unfit(VadRequest(audio=FILE, **options))
    assert caught.value.remedy.endswith(".")


@pytest.mark.parametrize("options", [{}, {"method": "silero"}, {"onset": 0.5, "offset": 0.5}])
def test_what_is_sensible_is_taken(options: dict[str, Any]) -> None:
    refuse_unfit(VadRequest(audio=FILE, **options))


def test_times_under_zero_are_zero_and_all_others_are_as_asked() -> None:
    asked = VadRequest(
        audio=FILE, onset=0.7, offset=0.4, pad_ms=-5, min_silence_ms=80, min_speech_ms=-1, max_speech_ms=9_000
    )
    assert rule_of(asked) == SpeechRule(
        onset=0.7, offset=0.4, pad_ms=0, min_silence_ms=80, min_speech_ms=0, max_speech_ms=9_000
    )


def test_the_defaults_cut_what_whisper_could_not_hear_at_once() -> None:
    assert rule_of(VadRequest(audio=FILE)).max_speech_ms < 30_000

"""Cleaning judged on what Whisper really heard once, so that every word of the answer can be asked."""

from __future__ import annotations

import json

import pytest

from protocol.artefacts import describe_file, write_json
from protocol.schema import from_plain, to_plain
from protocol.stages.clean import CleanRequest
from protocol.stages.subtitle import SubtitleRequest
from protocol.timeline import Transcript
from tests.heard import Heard, heard, longest_row, loop_at, plain_words
from tests.little_films import Scratch
from workers.engines.common.cleaning.clean import TranscriptClean
from workers.engines.common.subtitle import CueSubtitle

BATTLE_MS = 15_500
"""Where the battle begins behind the stammered sentence."""


@pytest.fixture
def clean(tmp_path):
    """Return how to clean what was heard: what is left, and each removal with its rule and reason."""

    def run(found: Heard):
        write_json(tmp_path / "in.json", to_plain(found.transcript))
        artefact = describe_file(tmp_path / "in.json", "in.json")
        request = CleanRequest(transcript=artefact, speech=found.speech, media_duration_ms=found.duration_ms)
        TranscriptClean().run(request, Scratch(tmp_path))
        left, report = (
            json.loads((tmp_path / name).read_text()) for name in ("transcript.json", "cleaning.json")
        )
        return from_plain(Transcript, left), report["removed"]

    return run


def subtitle(folder, found: Heard):
    """Make cues of the cleaned transcript that lies in the folder, and return the SubRip file."""
    request = SubtitleRequest(
        transcript=describe_file(folder / "transcript.json", "transcript.json"),
        title="heard",
        media_duration_ms=found.duration_ms,
    )
    CueSubtitle().run(request, Scratch(folder))
    return (folder / f"heard.{found.transcript.language}.srt").read_text(encoding="utf-8")


@pytest.mark.parametrize("found", heard("battle"), ids=lambda found: found.processor)
def test_every_word_made_up_in_a_battle_is_taken_out_each_with_its_reason(clean, tmp_path, found):
    left, removed = clean(found)
    assert left.segments == ()
    told = " ".join(removal["text"] for removal in removed)
    assert told.split() == [word.text for word in found.transcript.words()]
    assert all(removal["reason"] for removal in removed)
    assert "-->" not in subtitle(tmp_path, found)


def test_nothing_that_is_said_over_the_battle_is_lost_without_vad(clean):
    (found,) = heard("film_en")
    assert clean(found) == (found.transcript, [])


def test_what_a_person_says_three_times_is_kept_and_a_loop_planted_beside_it_is_cut(clean):
    (found,) = heard("again")
    assert plain_words(found.transcript).count("country") == 3
    assert clean(found) == (found.transcript, [])

    loop = loop_at(found.transcript.segments[-1].end_ms, each_ms=150, times=20)
    left, removed = clean(found.plus(loop))
    assert [removal["rule"] for removal in removed] == ["loops"]
    assert "faster than anybody speaks" in removed[0]["reason"]
    assert left.segments[:-1] == found.transcript.segments
    assert left.segments[-1].text == "Oh my god."


def test_not_not_not_is_kept_and_a_loop_over_the_battle_is_cut(clean, tmp_path):
    (found,) = heard("stammer")
    assert longest_row(plain_words(found.transcript), "not") == 3
    loop = loop_at(BATTLE_MS, each_ms=1_500, times=10)
    left, removed = clean(found.plus(loop))
    assert left.segments == found.transcript.segments
    assert " ".join(removal["text"] for removal in removed) == loop.text
    assert all(removal["reason"] for removal in removed)
    shown = subtitle(tmp_path, found)
    assert shown.casefold().count("not,") + shown.casefold().count("not.") == 3
    assert "god" not in shown

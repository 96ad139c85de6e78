"""Cues of what Whisper really heard in a film once, so that every cue can be asked for."""

from __future__ import annotations

import json

import pysubs2
import pytest

from protocol.artefacts import describe_file, write_json
from protocol.schema import to_plain
from protocol.stages.subtitle import SubtitleRequest
from tests.heard import heard
from tests.little_films import Scratch
from workers.engines.common.subtitle import CueSubtitle

SENTENCES = ("And no,", "And Mr. John", "He began", "He was", "unless to be", "Had he", "He might even")
"""How they begin, as it was heard."""


@pytest.fixture
def written(tmp_path):
    """Return the folder with the cues and their quality report."""
    (found,) = heard("film_en")
    write_json(tmp_path / "heard.json", to_plain(found.transcript))
    request = SubtitleRequest(
        transcript=describe_file(tmp_path / "heard.json", "heard.json"),
        title="film",
        media_duration_ms=found.duration_ms,
    )
    CueSubtitle().run(request, Scratch(tmp_path))
    return tmp_path


def test_each_sentence_starts_its_own_cue(written):
    texts = [cue.plaintext for cue in pysubs2.load(str(written / "film.en.srt"))]
    begun = [text for text in texts if text.startswith(SENTENCES)]
    assert [text.startswith(start) for text, start in zip(begun, SENTENCES, strict=True)] == [True] * 7


def test_a_relative_clause_is_a_cue_of_its_own(written):
    texts = [cue.plaintext.replace("\n", " ") for cue in pysubs2.load(str(written / "film.en.srt"))]
    at = texts.index("who had vanished behind the curtain on the left.")
    assert texts[at - 1] == "He began a confused complaint against the wizard"


def test_no_rule_is_broken_and_no_article_parted_from_its_noun(written):
    report = json.loads((written / "film.en.qc.json").read_text())
    assert report["ok"]
    assert {rule["rule"]: rule["count"] for rule in report["rules"] if rule["count"]} == {}
    lines = [line for cue in pysubs2.load(str(written / "film.en.srt")) for line in cue.plaintext.split("\n")]
    assert not [line for line in lines if line.lower().split()[-1] in ("a", "an", "the")]

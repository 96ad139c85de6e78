from __future__ import annotations

import pytest

from clients.settings import parse_settings, parse_with
from protocol.artefacts import Artefact
from protocol.errors import UsageError
from protocol.schema import to_plain
from protocol.stages.separate import SeparateRequest


def test_settings_get_their_types():
    found = parse_settings(
        ["asr.beam_size=3", "asr.vad_onset=0.4", "asr.hotwords=Jai, Veeru", "asr.initial_prompt=none",
         "subtitle.max_lines=1"],
    )  # fmt: skip
    assert found["asr"] == {
        "beam_size": 3, "vad_onset": 0.4, "hotwords": ("Jai", "Veeru"), "initial_prompt": None,
    }  # fmt: skip
    assert found["subtitle"] == {"max_lines": 1}


def test_a_short_model_name_is_whispers_and_serves_alignment_too():
    model = {"model": "whisper-small"}
    assert parse_settings(["asr.model=small"]) == {"asr": model, "align": model}


def test_a_model_given_for_alignment_stays():
    found = parse_settings(["align.model=base", "asr.model=whisper-small"])
    assert found["align"]["model"] == "whisper-base"


@pytest.mark.parametrize("word", ["subtitle.profile=nflix", "subtitle.formats=srt,docx", "subtitle.profile="])
def test_a_word_that_is_none_of_a_settings_values_is_refused_with_them(word):
    with pytest.raises(UsageError, match="cannot be") as refused:
        parse_settings([word])
    assert "srt" in refused.value.remedy or "netflix, bbc, social, relaxed" in refused.value.remedy


@pytest.mark.parametrize(
    "word", ["subtitle.offset_ms=700", "subtitle.media_duration_ms=1", "demux.full_band=1"]
)
def test_what_earlier_stages_say_is_not_for_a_person_to_set(word):
    with pytest.raises(UsageError, match="has no setting"):
        parse_settings([word])


def test_a_list_of_known_words_can_be_set():
    assert parse_settings(["subtitle.formats=srt, ass"]) == {"subtitle": {"formats": ("srt", "ass")}}


@pytest.mark.parametrize(
    ("word", "sentence", "remedy"),
    [
        ("asr.modl=x", "the stage asr has no setting 'modl'", "One of these settings: model"),
        ("asrr.model=x", "there is no stage 'asrr'", "One of these stages: demux, separate, vad, asr"),
        ("model", "is not of the form", "asr.model=small"),
        ("asr.beam_size=many", "'many' is not a whole number", ""),
        ("asr.vad_onset=nan", "'nan' is not a number", ""),
        ("asr.language=hi", "has its own option", "--source-language"),
        ("asr.audio=x", "has no setting 'audio'", "One of these settings"),
        ("asr.model=", "names no model", ""),
    ],
)
def test_a_wrong_setting_is_refused_naming_the_known_ones(word, sentence, remedy):
    with pytest.raises(UsageError) as caught:
        parse_settings([word])
    assert sentence in caught.value.message
    assert remedy in caught.value.remedy


def test_a_stage_that_is_added_may_say_when() -> None:
    assert parse_with(["separate=auto", "vad"]) == (("separate", "vad"), ("separate.when=auto",))
    assert parse_with(["separate"]) == (("separate",), ())
    for word in ("vad=auto", "asr=auto", "nothing=auto"):
        with pytest.raises(UsageError, match="has no choice of when it is done"):
            parse_with([word])


def test_a_request_without_auto_is_written_as_it_was_before_there_was_one() -> None:
    """The keys of finished steps are made of it."""
    sound = Artefact(path="a.flac", size=1, sha256="0" * 64)
    fields = {"audio", "model", "device", "segment_ms", "overlap", "batch_size"}
    assert to_plain(SeparateRequest(audio=sound)).keys() == fields
    assert to_plain(SeparateRequest(audio=sound, when="auto")).keys() == fields | {"when"}

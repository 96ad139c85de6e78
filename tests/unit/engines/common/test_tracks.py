"""What a translation's track has of its own."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from protocol.subtitles.corrections import CorrectedCue, Correction
from protocol.timeline import Segment, Transcript, Word
from workers.engines.common.cues.cut import CueRules
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.tracks import Track, cut_track

TEXT = "will help the government to reduce the number of people on our behalf."


def track(*, linger_ms: float | None = None, translated_from: str = "hi") -> Track:
    """Return a sentence of 70 characters, said in 0.9 s, with a pause of five seconds behind it."""
    words = [
        Word(text=word, start_ms=1_000 + place * 60, end_ms=1_060 + place * 60)
        for place, word in enumerate(TEXT.split())
    ]
    later = Word(text="Later.", start_ms=7_000, end_ms=7_500)
    segments = (
        Segment(start_ms=1_000, end_ms=words[-1].end_ms, text=TEXT, words=tuple(words)),
        Segment(start_ms=7_000, end_ms=7_500, text="Later.", words=(later,), engine="b"),
    )
    transcript = Transcript(language="en", segments=segments, translated_from=translated_from, engine="a")
    rules = rules_for("netflix", "en", media_duration_ms=60_000, linger_ms=linger_ms)
    return cut_track(transcript, rules, profile="netflix")


def test_a_cue_of_a_translation_stays_in_free_time_until_it_is_read() -> None:
    found = track()
    first = found.cues[0]
    assert first.end_ms - first.start_ms == len(TEXT) * 1_000 // 20
    assert found.violations() == ()


def test_a_cue_of_what_is_said_goes_soon_after_it_and_so_does_one_that_a_person_limits() -> None:
    for found in (track(translated_from=""), track(linger_ms=400)):
        assert [violation.rule for violation in found.violations()] == ["reading_speed"]
        assert found.cues[0].end_ms < 2_500


def test_json_says_of_each_line_what_made_it() -> None:
    document = json.loads(track().write("json"))
    assert [segment["engine"] for segment in document["segments"]] == ["a", "b"]


def two_languages(*, gap_ms: int = 400) -> Transcript:
    """Return an English sentence, then a German one with an ordinal, then a Japanese one."""

    def said(text: str, start_ms: int, language: str) -> Segment:
        pieces = list(text) if language == "ja" else text.split()
        words = tuple(
            Word(text=piece, start_ms=start_ms + place * 200, end_ms=start_ms + place * 200 + 200)
            for place, piece in enumerate(pieces)
        )
        return Segment(start_ms=start_ms, end_ms=words[-1].end_ms, text=text, words=words, language=language)

    first = said("He began a confused complaint against the wizard.", 1_000, "")
    second = said("Es war am 3. Oktober in der Stadt.", first.end_ms + gap_ms, "de")
    third = said("私は図書館で本を読んでいました。", second.end_ms + gap_ms, "ja")
    return Transcript(language="en", segments=(first, second, third))


def by_language(language: str) -> CueRules:
    return rules_for("netflix", language, media_duration_ms=60_000)


def test_each_stretch_is_cut_by_the_rules_of_its_own_language() -> None:
    asked: list[str] = []

    def rules_of(language: str) -> CueRules:
        asked.append(language)
        return by_language(language)

    found = cut_track(two_languages(), rules_of, profile="netflix")
    assert set(asked) == {"en", "de", "ja"}
    assert found.rules.language == "en"
    assert [part.rules.language for part in found.parts] == ["en", "de", "ja"]
    assert all(len(line) <= 16 for cue in found.parts[2].cues for line in cue.lines)
    assert "".join("".join(cue.lines) for cue in found.parts[2].cues) == "私は図書館で本を読んでいました。"
    assert found.sentences() == (
        "He began a confused complaint against the wizard.",
        "Es war am 3. Oktober in der Stadt.",
        "私は図書館で本を読んでいました。",
    )
    german = [cue for cue in found.cues if "Oktober" in " ".join(cue.lines)]
    assert all("3." in " ".join(cue.lines) for cue in german)


@pytest.mark.parametrize("gap_ms", [3_000, 400, 0, -300])
def test_cues_of_two_languages_neither_mix_nor_overlap(gap_ms: int) -> None:
    found = cut_track(two_languages(gap_ms=gap_ms), by_language, profile="netflix")
    text = "".join("".join("".join(cue.lines).split()) for cue in found.cues)
    assert text == "".join(word.text for word in found.transcript.words())
    assert [cue.start_ms for cue in found.cues] == sorted(cue.start_ms for cue in found.cues)
    for before, after in itertools.pairwise(found.cues):
        assert before.start_ms < before.end_ms <= after.start_ms
    assert not {violation.rule for violation in found.violations()} & {"overlap", "order"}
    assert tuple(cue for part in found.parts for cue in part.cues) == found.cues


def test_a_film_in_one_language_has_no_parts_and_a_violation_names_its_cue() -> None:
    one = replace(two_languages(), segments=two_languages().segments[:1])
    assert cut_track(one, by_language, profile="netflix").parts == ()
    assert (
        cut_track(one, by_language, profile="netflix").cues
        == cut_track(one, by_language("en"), profile="netflix").cues
    )

    def hasty(language: str) -> CueRules:
        return rules_for("netflix", language, max_graphemes_per_second=1.0 if language == "de" else 99.0)

    found = cut_track(two_languages(), hasty, profile="netflix")
    first = len(found.parts[0].cues)
    places = {violation.cue for violation in found.violations() if violation.rule == "reading_speed"}
    assert places
    assert min(places) == first + 1
    assert max(places) <= first + len(found.parts[1].cues)


def test_a_segment_without_words_parts_nothing() -> None:
    first, second, third = two_languages().segments
    nothing = Segment(start_ms=3_000, end_ms=3_100, text="", marks=("empty",), language="ja")
    kept = replace(first, start_ms=first.start_ms, language="de")
    transcript = Transcript(language="en", segments=(kept, nothing, second, third))
    found = cut_track(transcript, by_language, profile="netflix")
    assert [part.rules.language for part in found.parts] == ["de", "ja"]
    for before, after in itertools.pairwise(found.cues):
        assert before.end_ms <= after.start_ms


def test_what_is_left_in_one_language_keeps_to_its_rules_though_the_film_is_in_another() -> None:
    transcript = replace(two_languages(), segments=two_languages().segments[2:])
    found = cut_track(transcript, by_language, profile="netflix")
    assert [part.rules.language for part in found.parts] == ["ja"]
    assert all(len(line) <= 16 for cue in found.cues for line in cue.lines)


def corrected(transcript: Transcript, place: int, text: str, *, earlier_ms: int = 0) -> Track:
    """Return the track with the text of the cue at `place` changed, and its start moved."""
    cue = cut_track(transcript, by_language, profile="netflix").cues[place]
    old = CorrectedCue(start_ms=cue.start_ms, end_ms=cue.end_ms, text="\n".join(cue.lines))
    new = replace(old, text=text, start_ms=old.start_ms - earlier_ms)
    change = Correction(language="en", old=(old,), new=(new,))
    return cut_track(transcript, by_language, profile="netflix", corrections=(change,))


@pytest.mark.parametrize("gap_ms", [3_000, 400, 0, -300, -3_000])
def test_a_corrected_cue_and_all_others_stay_with_their_language(gap_ms: int) -> None:
    transcript = two_languages(gap_ms=gap_ms)
    plain = cut_track(transcript, by_language, profile="netflix")
    firsts = [0, len(plain.parts[0].cues), len(plain.parts[0].cues) + len(plain.parts[1].cues)]
    for place in firsts:
        found = corrected(transcript, place, "Other.")
        assert found.unfit == ()
        assert [len(part.cues) for part in found.parts] == [len(part.cues) for part in plain.parts]
        assert tuple(cue for part in found.parts for cue in part.cues) == found.cues


def test_a_cue_that_a_person_lets_begin_earlier_stays_with_its_language() -> None:
    plain = cut_track(two_languages(gap_ms=3_000), by_language, profile="netflix")
    assert len(plain.parts[0].cues) == 1
    found = corrected(two_languages(gap_ms=3_000), 1, "Früher.", earlier_ms=500)
    assert found.parts[1].cues[0].lines == ("Früher.",)


def test_a_cue_that_a_person_adds_is_in_the_language_of_its_time() -> None:
    added = Correction(
        language="en", old=(), new=(CorrectedCue(start_ms=50_000, end_ms=52_000, text="本です。"),)
    )
    found = cut_track(two_languages(), by_language, profile="netflix", corrections=(added,))
    assert found.parts[2].cues[-1].lines == ("本です。",)

"""The times of a subtitle file against its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from clients.comparing.timing import compare_times
from protocol.timeline import Cue

TEXTS = {
    "en": ("He began to speak.", "Nobody heard him,", "not even his wife.", "Yes."),
    "hi": ("श्री मोदी की यात्रा है।", "वित्त मंत्रालय ने कहा", "कि मदद मिलेगी।", "हाँ।"),
    "ta": ("அவர் பேசத் தொடங்கினார்.", "யாரும் கேட்கவில்லை,", "அவர் மனைவி கூட இல்லை.", "ஆம்."),
    "ar": ("بدأ يتكلم الآن.", "لم يسمعه أحد،", "حتى زوجته لم تسمع.", "نعم."),
    "zh": ("他开始说话。", "没有人听见他,", "连他的妻子也没有。", "是的。"),
}


def cues(texts: Sequence[str], late_ms: int = 0) -> list[Cue]:
    return [
        Cue(start_ms=4_000 * place + late_ms, end_ms=4_000 * place + 2_500 + late_ms, lines=(text,))
        for place, text in enumerate(texts)
    ]


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("late_ms", [0, 300, -170, 9_000])
def test_a_file_that_is_late_is_late_in_any_language(language: str, late_ms: int) -> None:
    texts = TEXTS[language]
    found = compare_times(cues(texts), cues(texts, late_ms), language)
    for edge in (found.starts, found.ends):
        assert (edge.found, edge.median_ms, edge.within_90_ms) == (4, late_ms, abs(late_ms))
        assert edge.near == (1.0 if abs(late_ms) <= 200 else 0.0)
    assert (found.reference_cues, found.cues, found.missing, found.added) == (4, 4, 0, 0)


def test_a_cue_that_is_missing_is_counted_and_moves_no_other() -> None:
    whole = cues(TEXTS["en"])
    found = compare_times(whole, [*whole[:1], *whole[2:]], "en")
    assert (found.missing, found.added, found.starts.found, found.starts.median_ms) == (1, 0, 3, 0)
    turned = compare_times([*whole[:1], *whole[2:]], whole, "en")
    assert (turned.missing, turned.added) == (0, 1)


def test_a_cue_cut_in_two_keeps_its_start_and_its_end() -> None:
    whole = [Cue(start_ms=1_000, end_ms=9_000, lines=("he began a confused", "complaint against the wizard"))]
    halves = [
        Cue(start_ms=1_100, end_ms=4_000, lines=("He began a confused",)),
        Cue(start_ms=4_100, end_ms=9_250, lines=("complaint against the wizard.",)),
    ]
    for reference, other, sign in ((whole, halves, 1), (halves, whole, -1)):
        found = compare_times(reference, other, "en")
        assert (found.starts.found, found.starts.median_ms) == (1, sign * 100)
        assert (found.ends.found, found.ends.median_ms) == (1, sign * 250)
        assert (found.missing, found.added) == (0, 0)


def test_a_translation_in_other_words_is_found_by_its_time() -> None:
    meant = cues(("The wizard had vanished.", "He was gone."))
    other = [replace(cue, lines=("Nothing alike",), end_ms=cue.end_ms + 80) for cue in cues(("", ""), 120)]
    found = compare_times(meant, other, "en")
    assert (found.starts.found, found.starts.median_ms, found.ends.median_ms) == (2, 120, 200)


def test_one_common_word_far_away_is_no_match() -> None:
    meant = [Cue(start_ms=0, end_ms=1_000, lines=("The end of all our days",))]
    other = [Cue(start_ms=50_000, end_ms=51_000, lines=("The wizard came back at night",))]
    found = compare_times(meant, other, "en")
    assert (found.starts.found, found.missing, found.added) == (0, 1, 1)


def test_nine_in_ten_leave_the_worst_out() -> None:
    texts = [f"line number {place} of ten" for place in range(10)]
    late = [replace(cue, start_ms=cue.start_ms + 10 * place) for place, cue in enumerate(cues(texts))]
    late[9] = replace(late[9], start_ms=late[9].start_ms + 1_000)
    found = compare_times(cues(texts), late, "en").starts
    assert (found.found, found.median_ms, found.within_90_ms, found.near) == (10, 45, 80, 0.9)


@pytest.mark.parametrize("language", ["en", "zh", "und"])
def test_an_empty_file_has_no_times(language: str) -> None:
    some = cues(TEXTS["en"])
    assert compare_times(some, [], language).missing == 4
    assert compare_times([], some, language).added == 4
    nothing = compare_times([], [], language)
    assert (nothing.starts.found, nothing.starts.median_ms, nothing.missing) == (0, None, 0)


def test_a_cue_that_ends_before_it_starts_is_no_other_s() -> None:
    damaged = [Cue(start_ms=5_000, end_ms=2_000, lines=("Hello.",))]
    other = [Cue(start_ms=5_000, end_ms=7_000, lines=("Something else.",))]
    found = compare_times(damaged, other, "en")
    assert (found.starts.found, found.ends.found) == (0, 0)

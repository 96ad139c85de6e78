"""Sentences become scenes, cut at the longest gaps, with the room that their lines have."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from protocol.timeline import Word
from workers.engines.llm.scenes import MOST_LINES, SceneLine, best_cut, cut_scenes, lines_of
from workers.text.sentences import Sentence


def line(start_ms: int, text: str = "Yes.", end_ms: int | None = None) -> SceneLine:
    return SceneLine(text=text, start_ms=start_ms, end_ms=end_ms or start_ms + 1_000)


def test_a_scene_ends_where_nobody_speaks_for_longest() -> None:
    lines = [line(place * 2_000 + (30_000 if place >= 11 else 0)) for place in range(30)]
    assert [len(scene) for scene in cut_scenes(lines)] == [11, 19]


def test_without_a_gap_it_ends_in_the_middle() -> None:
    assert [len(scene) for scene in cut_scenes([line(place * 1_000) for place in range(40)])] == [20, 20]


def test_long_lines_make_short_scenes() -> None:
    lines = [line(place * 2_000, "x" * 300) for place in range(8)]
    assert [len(scene) for scene in cut_scenes(lines)] == [4, 4]


@pytest.mark.parametrize("seed", range(30))
def test_every_line_is_in_one_scene_and_none_is_too_large_or_needlessly_small(seed: int) -> None:
    chance = random.Random(seed)
    now, lines = 0, []
    for place in range(chance.randrange(1, 400)):
        now += chance.choice([100, 500, 3_000, 60_000])
        lines.append(line(now, f"SceneLine {place}.", now + 500))
        now += 500
    scenes = cut_scenes(lines)
    assert [own for scene in scenes for own in scene] == lines
    assert max(map(len, scenes)) <= MOST_LINES
    if len(scenes) > 1:
        assert min(map(len, scenes)) >= MOST_LINES // 3


def test_a_line_alone_may_be_as_long_as_it_is() -> None:
    assert [len(scene) for scene in cut_scenes([line(0, "x" * 5_000), line(9_000)])] == [1, 1]


def test_nothing_is_no_scene() -> None:
    assert cut_scenes([]) == []


@pytest.mark.parametrize("count", [2, 3, 7, 24])
def test_a_cut_leaves_lines_on_both_sides(count: int) -> None:
    lines = [line(place * 2_000) for place in range(count)]
    for least in (0, 1, count):
        assert 1 <= best_cut(lines, least) <= count - 1


def sentence(text: str, start_ms: int, end_ms: int, speaker: str = "") -> Sentence:
    return Sentence(text=text, words=(Word(text=text, start_ms=start_ms, end_ms=end_ms, speaker=speaker),))


@pytest.mark.parametrize(
    ("text", "end_ms", "next_ms", "target", "room"),
    [
        ("A line with plenty of time.", 4_000, 5_000, "pt", 0),
        ("A line with plenty of time.", 500, 5_000, "pt", 25),
        ("A line with plenty of time.", 500, 600, "pt", 10),
        ("A line with plenty of time.", 500, 600, "hi", 13),
        ("A line with plenty of time.", 10, 10, "pt", 1),
    ],
)
def test_room_is_told_where_the_time_is_short(
    text: str, end_ms: int, next_ms: int, target: str, room: int
) -> None:
    sentences = [sentence(text, 0, end_ms), sentence("Yes.", next_ms, next_ms + 2_000)]
    assert lines_of(sentences, target, {})[0].room == room


def test_speakers_have_the_names_that_people_gave_them() -> None:
    sentences = [
        sentence("Yes.", 0, 900, "1"),
        sentence("No.", 1_000, 2_000, "2"),
        sentence("Ah.", 3_000, 4_000),
    ]
    found = lines_of(sentences, "pt", {"1": "Gabbar", "2": "speaker 2"})
    assert [own.speaker for own in found] == ["Gabbar", "speaker 2", ""]
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(found))

"""Where words come again and again in a row."""

from __future__ import annotations

import random

import pytest

from workers.engines.common.cleaning.repeats import find_runs, shorten


def found(text: str, least: int = 3) -> list[tuple[int, int, int, int]]:
    return [(run.first, run.size, run.count, run.rest) for run in find_runs(text.split(), least)]


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("oh no no no stop", [(1, 1, 3, 0)]),
        ("no no stop", []),
        ("well my god my god my god my", [(1, 2, 3, 1)]),
        ("a b a b a b c c c", [(0, 2, 3, 0), (6, 1, 3, 0)]),
        ("no no no no no no", [(0, 1, 6, 0)]),
        ("", []),
    ],
)
def test_a_run_is_the_shortest_repetition_from_its_first_word_on(text, runs):
    assert found(text) == runs


def test_words_of_which_nothing_is_left_to_compare_equal_none():
    assert find_runs(["", "", "", ""], 3) == []


def test_no_word_is_in_two_runs_and_every_run_repeats_itself():
    dice = random.Random(7)
    for _ in range(300):
        said = [dice.choice("abc") for _ in range(dice.randint(0, 40))]
        runs = find_runs(said, 3)
        ends = 0
        for run in runs:
            assert run.first >= ends
            ends = run.stop + run.rest
            assert ends <= len(said)
            unit = said[run.first : run.first + run.size]
            assert said[run.first : run.stop] == unit * run.count
            assert said[run.stop : ends] == unit[: run.rest]


@pytest.mark.parametrize(
    ("word", "short"),
    [
        ("hahahahahahahaha", "haha"),
        ("कककककककक।", "कक।"),
        ("లాలాలాలాలాలాలా", "లాలా"),
        ("ああああああああ", "ああ"),
        ("banana", "banana"),
        ("hahaha", "hahaha"),
        ("नमस्ते", "नमस्ते"),
    ],
)
def test_letters_repeated_six_times_in_a_word_are_said_twice(word, short):
    assert shorten(word) == short

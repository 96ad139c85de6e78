"""How many speakers a person asks for, and the numbers that those who are found get."""

from __future__ import annotations

import pytest

from protocol.errors import UsageError
from protocol.timeline import Speaker, Turn
from workers.engines.pyannote.asked import Bounds, read_speakers
from workers.engines.pyannote.found import Found, numbered, speakers_of


@pytest.mark.parametrize(
    ("written", "bounds"),
    [
        ("", Bounds()),
        (" ", Bounds()),
        ("1", Bounds(least=1, most=1)),
        ("2", Bounds(least=2, most=2)),
        (" 2 - 5 ", Bounds(least=2, most=5)),
        ("3-3", Bounds(least=3, most=3)),
    ],
)
def test_a_number_or_two_are_taken(written: str, bounds: Bounds) -> None:
    assert read_speakers(written) == bounds


@pytest.mark.parametrize("written", ["many", "0", "-2", "2-", "5-2", "2-5-7", "2.5", "51", "٢", "1-99999"])
def test_nonsense_is_refused_in_a_sentence(written: str) -> None:
    with pytest.raises(UsageError, match=r"\.$") as caught:
        read_speakers(written)
    assert caught.value.remedy.endswith(".")


def turn(start_ms: int, end_ms: int, speaker: str) -> Turn:
    return Turn(start_ms=start_ms, end_ms=end_ms, speaker=speaker)


def test_who_speaks_first_is_one_and_who_never_speaks_alone_comes_last() -> None:
    found = Found(
        timeline=(turn(0, 900, "0"), turn(100, 2_000, "7"), turn(1_500, 3_000, "2")),
        exclusive=(turn(100, 1_500, "7"), turn(1_500, 3_000, "2"), turn(3_000, 4_000, "7")),
        embeddings={"7": (1.0,), "2": (0.5,), "0": (0.2,), "9": (0.1,)},
    )
    ours = numbered(found)
    assert [one.speaker for one in ours.exclusive] == ["1", "2", "1"]
    assert [one.speaker for one in ours.timeline] == ["3", "1", "2"]
    # Nobody has heard the fourth.
    assert ours.embeddings == {"1": (1.0,), "2": (0.5,), "3": (0.2,)}
    assert speakers_of(ours.exclusive) == (Speaker(id="1", speech_ms=2_400), Speaker(id="2", speech_ms=1_500))


def test_eleven_speakers_are_in_the_order_of_their_numbers() -> None:
    turns = tuple(turn(number * 100, number * 100 + 50, str(number)) for number in range(1, 12))
    assert [speaker.id for speaker in speakers_of(turns)] == [str(number) for number in range(1, 12)]

"""Whether two jobs are of one film."""

from __future__ import annotations

import pytest

from clients.comparing.sides import Side, check_same_film, shifted
from protocol.errors import UsageError
from protocol.messages import JobReport
from protocol.timeline import Segment, Transcript, Word


def side(media: str, *, sound: str = "", film_bytes: int | None = None, job: str = "job-1") -> Side:
    report = JobReport(
        job=job, state="done", media=media, workflow="translate", directory="/jobs", created_at="",
        elapsed_ms=1, fraction=1.0, steps=(),
    )  # fmt: skip
    return Side(
        report=report,
        environments={},
        models={},
        transcripts={},
        spoken="en",
        film_bytes=film_bytes,
        sound=sound,
    )


def test_one_path_is_one_film() -> None:
    assert check_same_film(side("/a.mkv", film_bytes=3), side("/a.mkv", film_bytes=3)) == ""


def test_a_film_that_was_copied_is_known_by_its_sound() -> None:
    assert check_same_film(side("/a.mkv", sound="abc"), side("/copies/b.mkv", sound="abc")) == ""


@pytest.mark.parametrize(("one", "other"), [("abc", "def"), ("", "")])
def test_two_films_are_refused_by_their_names(one: str, other: str) -> None:
    with pytest.raises(UsageError, match=r"a\.mkv and b\.mkv") as refused:
        check_same_film(side("/a.mkv", sound=one), side("/b.mkv", sound=other))
    assert "--reference" in refused.value.remedy


def test_a_file_that_was_replaced_under_its_name_is_told() -> None:
    a, b = side("/a.mkv", film_bytes=3, sound="abc"), side("/a.mkv", film_bytes=4, sound="def")
    assert "another file" in check_same_film(a, b)


def test_a_clips_words_are_moved_to_the_films_clock() -> None:
    word = Word(text="a", start_ms=100, end_ms=200, speaker="1")
    clip = Transcript(
        language="en", segments=(Segment(start_ms=100, end_ms=300, text="a", words=(word,), marks=("loop",)),)
    )
    (moved,) = shifted(clip, 10_000).segments
    assert (moved.start_ms, moved.end_ms, moved.marks) == (10_100, 10_300, ("loop",))
    assert moved.words == (Word(text="a", start_ms=10_100, end_ms=10_200, speaker="1"),)
    assert shifted(clip, 0) is clip

from __future__ import annotations

import pytest

from clients.submission import Written, parse_time, read_submissions
from protocol.errors import UsageError


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    path.touch()
    return path


def read(film, **words):
    return read_submissions(
        Written(media=(str(film),), **{"workflow": "transcribe", **words}), film.parent / "out"
    )


def problem(film, **words) -> str:
    (found,) = read(film, **words).problems
    return found.message


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("00:01:30", 90_000),
        ("1:30", 90_000),
        ("90.5", 90_500),
        ("90", 90_000),
        ("1:00:00,250", 3_600_250),
        ("0", 0),
    ],
)
def test_times_are_read_as_people_write_them(text, milliseconds):
    assert parse_time(text, "--start") == milliseconds


@pytest.mark.parametrize(
    "text", ["", "-5", "1:75", "1:2:3:4", "noon", "1:60:00", "9" * 400, "9" * 5_000, "9" * 400 + ":00:00"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UsageError, match="is not a time"):
        parse_time(text, "--start")


def test_a_submission_carries_what_was_written(film):
    (submission,) = read(
        film, workflow="subtitle", source="Hindi", targets=("en, gu", "en"), start="1:00", end="2:00",
        title=" Sholay ", year=1975, audio_track="hin", debug=True,
    ).submissions  # fmt: skip
    assert (submission.source_language, submission.target_languages) == ("hi", ("en", "gu"))
    assert (submission.start_ms, submission.end_ms, submission.title, submission.year) == (
        60_000,
        120_000,
        "Sholay",
        1975,
    )
    assert (submission.audio_track, submission.debug) == ("hi", True)
    assert submission.out == str(film.parent / "out")


def test_translate_without_a_target_means_english(film):
    assert read(film, workflow="translate").submissions[0].target_languages == ("en",)
    assert read(film, workflow="subtitle").submissions[0].target_languages == ()


def test_a_target_may_name_a_script(film):
    read_so = read(film, workflow="translate", targets=("hi-latn,ur-Arab",)).submissions[0]
    assert read_so.target_languages == ("hi-Latn", "ur")
    assert "'Cyrl'" in problem(film, workflow="translate", targets=("hi-Cyrl",))


def test_transcribe_takes_no_target(film):
    assert "takes no --target-language" in problem(film, targets=("en",))


def test_an_unknown_language_is_refused(film):
    assert "'klingon'" in problem(film, source="klingon")
    assert "'xx'" in problem(film, workflow="translate", targets=("en,xx",))


def test_a_clip_that_ends_before_it_starts_is_refused(film):
    assert "must be later than" in problem(film, start="2:00", end="1:00")
    assert "must be later than" in problem(film, end="0")


def test_a_track_is_a_number_or_a_language(film):
    assert read(film, audio_track="02").submissions[0].audio_track == "2"
    assert "--audio-track '-1'" in problem(film, audio_track="-1")
    assert "is neither a track's number nor a language" in problem(film, audio_track="9" * 5_000)


def test_one_title_does_not_name_two_films(film):
    second = film.with_name("second.mp4")
    second.touch()
    found = read_submissions(
        Written(media=(str(film), str(second)), workflow="transcribe", title="T"), film.parent
    )
    assert [complaint.message for complaint in found.problems] == [
        "--title is for one film, and you named 2."
    ]
    assert found.submissions == ()


def test_an_out_folder_that_is_a_file_is_refused(film):
    assert "is not a folder" in problem(film, out=str(film / "below"))


def test_a_submission_carries_the_glossary_of_its_film(film, tmp_path):
    (film.parent / ".cpw-glossary.csv").write_text("Jai,Jay\n")
    names = tmp_path / "names.txt"
    names.write_text("Veeru = Viru\n")
    (submission,) = read(film, glossary=(str(names),)).submissions
    assert [(term.source, term.target) for term in submission.glossary] == [("Veeru", "Viru"), ("Jai", "Jay")]


def test_a_wrong_glossary_that_was_named_stops_all_and_one_beside_a_film_only_this(film):
    assert "nowhere.csv" in problem(film, glossary=("nowhere.csv",))
    (film.parent / ".cpw-glossary.csv").write_text("a,b,c,d\n")
    found = read(film)
    ((refused, error),) = found.refused
    assert (found.submissions, found.problems, refused.media) == ((), (), str(film))
    assert "line 1" in error.message
    assert ".cpw-glossary.csv" in error.message

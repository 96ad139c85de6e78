"""The voices that people have named, on the disk."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from pathlib import Path

import pytest

from coordinator.voices.known import KnownVoices
from protocol.errors import InputError
from protocol.jobs.voices import Voice, Voices

LEFT, RIGHT, UP, DEEP = (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0)


def heard(*embeddings: tuple[float, ...], model: str = "m", speech_ms: int = 1_000) -> Voices:
    voices = [
        Voice(id=str(number + 1), speech_ms=speech_ms, embedding=embedding)
        for number, embedding in enumerate(embeddings)
    ]
    return Voices(model=model, voices=tuple(voices))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "voices"


@pytest.fixture
def known(folder: Path) -> KnownVoices:
    return KnownVoices(folder)


def names(known: KnownVoices, series: str = "") -> list[tuple[str, str]]:
    return [(voice.series, voice.name) for voice in known.listed(series)]


def test_a_voice_is_known_to_its_series_and_to_no_other(known: KnownVoices) -> None:
    known.learn("Sholay", "Sholay", heard(LEFT, RIGHT), {"1": "Gabbar"})
    assert known.embeddings("Sholay", "m") == {"Gabbar": LEFT}
    assert known.embeddings("SHOLAY ", "m") == {"Gabbar": LEFT}
    assert known.embeddings("Deewaar", "m") == {}
    assert known.embeddings("Sholay", "another model") == {}


def test_films_of_a_series_add_to_what_is_known_by_the_time_spoken(known: KnownVoices) -> None:
    known.learn("Sholay", "Part 1", heard(LEFT, speech_ms=3_000), {"1": "Gabbar"})
    known.learn("Sholay", "Part 2", heard(RIGHT, speech_ms=1_000), {"1": "Gabbar"})
    (gabbar,) = known.listed()
    assert (gabbar.films, gabbar.speech_ms) == (("Part 1", "Part 2"), 4_000)
    mean = known.embeddings("Sholay", "m")["Gabbar"]
    assert mean[0] == pytest.approx(3 * mean[1])


def test_a_name_put_right_leaves_nothing_of_the_wrong_one(known: KnownVoices, folder: Path) -> None:
    known.learn("Sholay", "Sholay", heard(LEFT, RIGHT), {"1": "Gabar", "2": "Basanti"})
    known.learn("Sholay", "Sholay", heard(LEFT, RIGHT), {"1": "Gabbar"})
    assert names(known) == [("Sholay", "Basanti"), ("Sholay", "Gabbar")]
    # In another job of the film, too, in which the voice has another number.
    known.learn("Sholay", "Sholay", heard(RIGHT, UP, LEFT), {"3": ""})
    assert names(known) == [("Sholay", "Basanti")]
    assert "Gab" not in "".join(path.read_text() for path in folder.iterdir())


def test_what_is_forgotten_is_gone_from_the_disk(known: KnownVoices, folder: Path) -> None:
    known.learn("Sholay", "Sholay", heard(LEFT, RIGHT), {"1": "Gabbar", "2": "Basanti"})
    known.learn("Deewaar", "Deewaar", heard(UP), {"1": "Gabbar"})
    (forgotten,) = known.forget("sholay", "Gabbar")
    assert (forgotten.series, forgotten.name) == ("Sholay", "Gabbar")
    assert names(known) == [("Deewaar", "Gabbar"), ("Sholay", "Basanti")]
    assert json.dumps(LEFT)[1:-1] not in "".join(path.read_text() for path in folder.iterdir())
    known.forget("", "Gabbar")
    assert len(list(folder.iterdir())) == 1
    assert known.forget("", "nobody") == ()
    known.forget()
    assert list(folder.iterdir()) == []
    assert known.listed() == ()


def test_it_is_its_owners_alone_whatever_the_umask(known: KnownVoices, folder: Path) -> None:
    before = os.umask(0o000)
    try:
        known.learn("Sholay", "Sholay", heard(LEFT), {"1": "Gabbar"})
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_no_name_of_a_series_leads_out_of_the_folder(known: KnownVoices, folder: Path) -> None:
    for series in ("../../etc/passwd", "a/b", "ü" * 500, ".", "शोले"):
        known.learn(series, "Film", heard(LEFT), {"1": "Gabbar"})
        assert known.embeddings(series, "m") == {"Gabbar": LEFT}
    assert len(list(folder.iterdir())) == 5
    assert {path.name for path in folder.parent.iterdir()} == {"voices"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"version": 1}',
        b'{"series": 1}',
        b"\xff\xfe",
        b"[]",
        b'{"version": 9, "series": "Sholay"}',
    ],
)
def test_a_broken_file_is_named_and_can_be_forgotten(known: KnownVoices, folder: Path, body: bytes) -> None:
    known.learn("Sholay", "Sholay", heard(LEFT), {"1": "Gabbar"})
    (path,) = folder.iterdir()
    path.write_bytes(body)
    with pytest.raises(InputError) as caught:
        known.embeddings("Sholay", "m")
    assert str(path) in caught.value.message
    assert f"rm {path}" in caught.value.remedy or caught.value.remedy == "Update the program."
    known.forget()
    assert list(folder.iterdir()) == []


def test_a_broken_file_keeps_nobody_from_being_forgotten_elsewhere(known: KnownVoices, folder: Path) -> None:
    known.learn("Sholay", "Sholay", heard(LEFT), {"1": "Gabbar"})
    known.learn("Deewaar", "Deewaar", heard(LEFT, UP), {"1": "Gabbar", "2": "Vijay"})
    (folder / "0.json").write_bytes(b"{")
    with pytest.raises(InputError, match=r"0\.json"):
        known.forget("", "Gabbar")
    (folder / "0.json").unlink()
    assert names(known) == [("Deewaar", "Vijay")]


def test_all_are_forgotten_beside_a_broken_file_and_told(known: KnownVoices, folder: Path) -> None:
    known.learn("Sholay", "Sholay", heard(LEFT), {"1": "Gabbar"})
    known.learn("Deewaar", "Deewaar", heard(UP), {"1": "Vijay"})
    (folder / "0.json").write_bytes(b"{")
    assert [voice.name for voice in known.forget()] == ["Vijay", "Gabbar"]
    assert list(folder.iterdir()) == []


def test_a_full_disk_leaves_what_was_known(
    known: KnownVoices, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.learn("Sholay", "Sholay", heard(LEFT), {"1": "Gabbar"})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space") as caught:
        known.learn("Sholay", "Sholay", heard(RIGHT), {"1": "Basanti"})
    (path,) = folder.iterdir()
    assert caught.value.filename == str(path)
    assert names(known) == [("Sholay", "Gabbar")]


def test_two_who_write_by_turns_lose_nothing(folder: Path) -> None:
    one, other = KnownVoices(folder), KnownVoices(folder)
    one.learn("Sholay", "Sholay", heard(LEFT, RIGHT, UP, DEEP), {"1": "Gabbar"})
    other.learn("Sholay", "Sholay", heard(LEFT, RIGHT, UP, DEEP), {"2": "Basanti"})
    one.learn("Sholay", "Sholay", heard(LEFT, RIGHT, UP, DEEP), {"3": "Jai"})
    other.forget("", "Gabbar")
    assert names(one) == [("Sholay", "Basanti"), ("Sholay", "Jai")]


def test_what_a_killed_coordinator_was_writing_is_removed(known: KnownVoices, folder: Path) -> None:
    known.learn("Sholay", "Sholay", heard(LEFT), {"1": "Gabbar"})
    (path,) = folder.iterdir()
    part = folder / f".{path.name}.4711.part"
    part.write_bytes(path.read_bytes())
    known.forget("Deewaar", "nobody")
    assert list(folder.iterdir()) == [path]
    part.write_bytes(path.read_bytes())
    known.forget()
    assert list(folder.iterdir()) == []


def turned(by: float) -> tuple[float, ...]:
    """Return an embedding that is as like LEFT as the cosine of the angle."""
    return (math.cos(by), math.sin(by), 0.0, 0.0)


def test_a_name_put_right_in_a_later_film_counts(known: KnownVoices) -> None:
    known.learn("Sholay", "Part 1", heard(turned(0.0), UP), {"1": "Gabar", "2": "Basanti"})
    known.learn("Sholay", "Part 2", heard(turned(0.5)), {"1": "Gabbar"})
    assert set(known.embeddings("Sholay", "m")) == {"Gabbar", "Basanti"}
    assert [name for _, name in names(known)] == ["Basanti", "Gabar", "Gabbar"]
    known.learn("Sholay", "Part 3", heard(turned(-0.2)), {"1": "Gabar"})
    assert set(known.embeddings("Sholay", "m")) == {"Gabar", "Basanti"}


def test_two_people_who_are_alike_stay_two(known: KnownVoices) -> None:
    # Both speak in one film: they are twins.
    known.learn("Sita aur Gita", "Part 1", heard(turned(0.0), turned(0.4)), {"1": "Sita", "2": "Gita"})
    known.learn("Sita aur Gita", "Part 2", heard(turned(0.3)), {"1": "Gita"})
    assert set(known.embeddings("Sita aur Gita", "m")) == {"Sita", "Gita"}
    # They are somewhat alike, as two are who were taken for one and put right.
    known.learn("Sholay", "Part 1", heard(turned(0.0)), {"1": "Jai"})
    known.learn("Sholay", "Part 2", heard(turned(0.9)), {"1": "Veeru"})
    assert set(known.embeddings("Sholay", "m")) == {"Jai", "Veeru"}


def test_of_a_name_the_newest_samples_are_kept(known: KnownVoices) -> None:
    for number in range(30):
        angle = (math.cos(number / 10), math.sin(number / 10), 0.0, 0.0)
        known.learn("Sholay", f"Part {number}", heard(angle), {"1": "Gabbar"})
    (gabbar,) = known.listed()
    assert gabbar.films == tuple(f"Part {number}" for number in range(10, 30))

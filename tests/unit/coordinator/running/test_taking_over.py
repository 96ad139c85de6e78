"""When the film of a job is the one that was done before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from coordinator.running import reuse
from coordinator.running.reuse import film_samples
from coordinator.running.taking_over import FilmDigests, refuse_other_film
from protocol.artefacts import FilmFile, describe_film
from protocol.errors import CancelledError, CpwError, InputError

SIZE = 4 << 20


def film(folder: Path, name: str, changed_at: int | None = None) -> Path:
    """Write a film of 4 MiB, with one other byte where asked."""
    data = bytearray(bytes(range(256)) * (SIZE // 256))
    if changed_at is not None:
        data[changed_at] ^= 1
    path = folder / name
    path.write_bytes(data)
    return path


class Read:
    """Digests that count the films that were read."""

    def __init__(self) -> None:
        self.films: list[str] = []
        self._digests = FilmDigests()

    def __call__(self, found: FilmFile) -> str:
        """Return the film's digest."""
        self.films.append(Path(found.path).name)
        return self._digests.of(found)


def test_films_that_differ_between_the_samples_have_one_key_and_other_contents(tmp_path: Path) -> None:
    one, other = film(tmp_path, "one"), film(tmp_path, "other", changed_at=SIZE // 15 + 100_000)
    assert film_samples(one) == film_samples(other)
    with pytest.raises(InputError, match="has other contents"):
        refuse_other_film(other, describe_film(one), FilmDigests().of)


def test_the_same_file_is_the_same_film_without_being_read(tmp_path: Path) -> None:
    one, read = film(tmp_path, "one"), Read()
    done = describe_film(one)
    refuse_other_film(one, done, read)
    renamed = one.rename(tmp_path / "renamed")
    refuse_other_film(renamed, done, read)
    (tmp_path / "linked").hardlink_to(renamed)
    refuse_other_film(tmp_path / "linked", done, read)
    assert not read.films


def test_a_copy_is_the_same_film_and_both_are_read_once(tmp_path: Path) -> None:
    one, digests = film(tmp_path, "one"), FilmDigests()
    done = describe_film(one)
    copy = film(tmp_path, "copy")
    refuse_other_film(copy, done, digests.of)
    digests.stop()  # now nothing could be read
    refuse_other_film(copy, done, digests.of)


@pytest.mark.parametrize("what", ["gone", "written to", "replaced"])
def test_a_copy_of_a_film_that_is_not_there_any_more_is_done_again(tmp_path: Path, what: str) -> None:
    one = film(tmp_path, "one")
    done = describe_film(one)
    copy = film(tmp_path, "copy")
    if what == "gone":
        one.unlink()
    else:
        changed = film(tmp_path, "changed", changed_at=SIZE // 15 + 100_000)
        if what == "replaced":
            os.utime(changed, ns=(done.modified_ns, done.modified_ns))
            changed.replace(one)
        else:
            one.write_bytes(changed.read_bytes())
            os.utime(one, ns=(done.modified_ns + 1, done.modified_ns + 1))
    with pytest.raises(InputError):
        refuse_other_film(copy, done, FilmDigests().of)


def test_a_film_that_nobody_described_is_done_again(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not known"):
        refuse_other_film(film(tmp_path, "one"), None, FilmDigests().of)


def test_a_film_that_is_written_to_while_it_is_read_has_no_digest(tmp_path: Path) -> None:
    one = film(tmp_path, "one")
    earlier = describe_film(one)
    os.utime(one, ns=(1, 1))
    with pytest.raises(InputError, match="changed while it was read"):
        FilmDigests().of(earlier)


def test_a_coordinator_that_ends_reads_on_no_further(tmp_path: Path) -> None:
    digests = FilmDigests()
    digests.stop()
    with pytest.raises(CancelledError):
        digests.of(describe_film(film(tmp_path, "one")))


def test_a_film_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CpwError, match="cannot be read"):
        describe_film(tmp_path / "none")


def test_what_another_endpoint_was_asked_is_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def key(environment: str, address: str) -> str:
        monkeypatch.setenv("CPW_LLM", address)
        return reuse.step_key("translate", environment, "b1", {"model": "endpoint"}, "film")

    here, there = "http://127.0.0.1:11434/v1", "https://llm.example.org/v1"
    assert key("llm", here) == key("llm", here) != key("llm", there)
    assert key("bergamot", here) == key("bergamot", there)

"""Artefacts, endpoints, errors, languages, marks."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from protocol.artefacts import Artefact, check_artefact, describe_file, resolve_inside, write_whole
from protocol.clock import is_instant, now_iso
from protocol.endpoints import prepare_runtime_directory, worker_endpoint
from protocol.errors import (
    DiskFullError,
    ErrorInfo,
    ErrorKind,
    InputError,
    MissingError,
    UsageError,
    error_from_info,
    info_from_error,
)
from protocol.languages import Tag, find_language, find_tag, language_name, read_tag, to_iso639_2
from protocol.marks import Mark, parse_mark, render_mark


def test_a_file_is_held_to_its_size_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    artefact = describe_file(path, "06_asr/a")
    assert artefact == Artefact(
        path="06_asr/a", size=3, sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    check_artefact(artefact, path)
    path.write_bytes(b"abd")
    with pytest.raises(InputError, match="sha256 differs"):
        check_artefact(artefact, path)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", "a\0b"])
def test_a_path_out_of_the_job_folder_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError):
        resolve_inside(tmp_path, path)


def test_a_file_is_written_whole_or_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    write_whole(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space") as told:
        write_whole(path, b"new")
    assert told.value.filename == str(path), "the name that a person knows, not the one aside"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_runtime_directory_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "r"
    prepare_runtime_directory(place)
    assert place.stat().st_mode & 0o777 == 0o700
    place.chmod(0o755)
    with pytest.raises(UsageError, match="open to others"):
        prepare_runtime_directory(place)


def test_a_runtime_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="a link or a file"):
        prepare_runtime_directory(tmp_path / "link")


def test_a_socket_path_that_the_system_would_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the system allows"):
        worker_endpoint(tmp_path / ("x" * 120))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "full"), ErrorKind.DISK_FULL),
        (MemoryError(), ErrorKind.RESOURCE),
        (ValueError("x"), ErrorKind.BUG),
        (InputError("x"), ErrorKind.INPUT),
        (SystemExit(3), ErrorKind.BUG),
    ],
)
def test_any_exception_becomes_words_of_the_right_kind(error: BaseException, kind: ErrorKind) -> None:
    assert info_from_error(error).kind is kind


def test_words_become_the_error_again() -> None:
    again = error_from_info(ErrorInfo(kind=ErrorKind.MISSING, message="m", remedy="r"))
    assert isinstance(again, MissingError)
    assert (again.message, again.remedy) == ("m", "r")
    assert isinstance(error_from_info(ErrorInfo(kind=ErrorKind.DISK_FULL, message="m")), DiskFullError)


@pytest.mark.parametrize("written", ["hi", "HI", "Hindi", "hin", " hi "])
def test_a_language_is_found_however_it_is_written(written: str) -> None:
    assert find_language(written).code == "hi"


def test_an_unknown_language_is_refused_with_an_example() -> None:
    with pytest.raises(UsageError, match="klingon") as caught:
        find_language("klingon")
    assert "ISO 639-1" in caught.value.remedy


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("hi-Latn", "hi-Latn"),
        ("HI_latn", "hi-Latn"),
        ("Hindi-Latn", "hi-Latn"),
        ("hi-Deva", "hi"),
        ("ur-Arab", "ur"),
        ("ur-Deva", "ur-Deva"),
        ("sr-Cyrl", "sr-Cyrl"),
        ("sr", "sr"),
        ("ta-Latn", "ta-Latn"),
    ],
)
def test_a_language_may_be_asked_for_in_a_script(written: str, tag: str) -> None:
    assert str(find_tag(written)) == tag
    assert read_tag(tag) == find_tag(written)


@pytest.mark.parametrize("written", ["hi-Cyrl", "de-Latn", "hi-IN", "xx-Latn", "hi-"])
def test_a_script_that_a_language_cannot_be_written_in_is_refused(written: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_tag(written)
    assert caught.value.remedy


def test_a_tag_has_a_name() -> None:
    assert language_name("hi-Latn") == "Hindi in Latin letters"
    assert language_name(str(Tag("ur", "Deva"))) == "Urdu in Devanagari letters"
    assert language_name("xx-Latn") == "xx-Latn"


def test_containers_get_three_letters() -> None:
    assert [to_iso639_2(language) for language in ("en", "de", "gom", "und")] == ["eng", "deu", "kok", "und"]
    for_matroska = [to_iso639_2(language, bibliographic=True) for language in ("en", "de", "fr", "zh", "und")]
    assert for_matroska == ["eng", "ger", "fre", "chi", "und"]
    assert language_name("gu") == "Gujarati"


def test_a_mark_is_read_with_its_nonce_only() -> None:
    mark = Mark(job="j", step="asr", attempt=1, log="/x")
    line = render_mark(mark, "abc").decode().strip("\n")
    assert parse_mark(line, "abc") == mark
    assert parse_mark(line, "abd") is None
    assert parse_mark("text", "abc") is None
    assert parse_mark("\x1eabc not json", "abc") is None


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        pytest.param(now_iso(), True, id="now"),
        ("2026-11-22T08:30:00.123Z", True),
        ("", False),
        ("x", False),
    ],
)
def test_what_a_peer_calls_an_instant_is_looked_at_first(text: str, readable: bool) -> None:
    assert is_instant(text) is readable

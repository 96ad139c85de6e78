"""The token: made by us, its owner's alone, refused where others can read it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envspecs.cluster.token import (
    check_token,
    forget_token,
    keep_token,
    make_token,
    parse_token,
    read_token,
    token_path,
)
from protocol.errors import CpwError, MissingError, UsageError


def test_a_token_is_long_random_and_closed_from_its_first_byte(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = make_token(tmp_path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(bytes.fromhex(read_token(path))) == 32
    assert path.read_bytes() != make_token(tmp_path / "other").read_bytes()


def test_a_token_that_is_there_stays(tmp_path: Path) -> None:
    first = make_token(tmp_path).read_bytes()
    assert make_token(tmp_path).read_bytes() == first


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = make_token(tmp_path)
    path.chmod(mode)
    for use in (lambda: read_token(path), lambda: make_token(tmp_path), lambda: check_token(tmp_path)):
        with pytest.raises(UsageError, match="read by others") as refused:
            use()
        assert f"chmod 600 {path}" in refused.value.remedy


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"two words of a token", b"x" * 600, b"\xff" * 32])
def test_what_is_no_token_is_refused_and_never_repeated(tmp_path: Path, content: bytes) -> None:
    path = keep_token(tmp_path, "x" * 32)
    path.write_bytes(content)
    with pytest.raises(CpwError) as refused:
        read_token(path)
    said = refused.value.message + refused.value.remedy
    assert str(path) in said
    assert not content.strip() or content.decode("ascii", "replace").strip() not in said


def test_a_missing_file_a_fifo_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_token(tmp_path / "gone")
    os.mkfifo(tmp_path / "fifo", 0o600)
    for path in (tmp_path / "fifo", tmp_path):
        with pytest.raises(UsageError, match=f"{path} is no file") as refused:
            read_token(path)
        assert "chmod" not in refused.value.remedy


def test_a_house_of_a_cluster_without_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        check_token(tmp_path)
    make_token(tmp_path)
    assert check_token(tmp_path) == token_path(tmp_path)
    forget_token(tmp_path)
    assert not token_path(tmp_path).exists()


def test_a_token_may_end_with_a_line_end() -> None:
    assert parse_token(b"0123456789abcdef\n", "stdin") == "0123456789abcdef"

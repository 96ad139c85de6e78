from __future__ import annotations

import logging
import stat

import pytest

from envspecs.processes.privacy import narrow, umask_of
from protocol.errors import UsageError


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def put(path, rights, text=None):
    if text is None:
        path.mkdir()
    else:
        path.write_text(text)
    path.chmod(rights)
    return path


@pytest.mark.parametrize(("text", "umask"), [("", 0o077), ("077", 0o077), ("022", 0o022), ("0027", 0o027)])
def test_the_umask_is_private_unless_a_person_says_otherwise(text, umask):
    assert umask_of({"CPW_UMASK": text}) == umask


@pytest.mark.parametrize("text", ["8", "x", "777", "0700", "-1", "22 ", "00022"])
def test_a_wrong_umask_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match="not a umask") as caught:
        umask_of({"CPW_UMASK": text})
    assert "CPW_UMASK=022" in caught.value.remedy


def test_folders_of_before_are_closed_and_the_log_says_so(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    state = put(tmp_path / "state", 0o755)
    store = put(state / "jobs.sqlite", 0o644, "x")
    below = put(state / "deeper", 0o755)
    narrow((state, tmp_path / "none"), 0o077)
    assert (mode(state), mode(store), mode(below)) == (0o700, 0o600, 0o755)
    assert f"{state} was open to others: modes changed: 2" in caplog.text
    caplog.clear()
    narrow((state,), 0o077)
    assert caplog.records == []


def test_what_the_umask_gives_is_left(tmp_path):
    state = put(tmp_path / "state", 0o777)
    log = put(state / "a.log", 0o644, "x")
    narrow((state,), 0o022)
    assert (mode(state), mode(log)) == (0o755, 0o644)


def test_a_folder_that_is_shared_on_purpose_stays_open_and_our_files_in_it_do_not(tmp_path):
    shared = put(tmp_path / "shared", 0o2775)
    log = put(shared / "a.log", 0o664, "x")
    narrow((shared,), 0o077)
    assert (mode(shared), mode(log)) == (0o2775, 0o600)


def test_a_link_is_not_followed(tmp_path):
    real = put(tmp_path / "real", 0o755)
    outside = put(tmp_path / "outside.txt", 0o644, "x")
    (tmp_path / "link").symlink_to(real)
    (real / "link").symlink_to(outside)
    narrow((tmp_path / "link", real), 0o077)
    assert (mode(real), mode(outside)) == (0o700, 0o644)

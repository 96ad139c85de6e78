"""What a person says of the endpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.errors import MissingError, UsageError
from workers.engines.llm.settings import patience_for, read_settings

LOCAL = "http://127.0.0.1:11434/v1"


def test_without_an_address_it_says_what_to_set() -> None:
    with pytest.raises(MissingError, match="CPW_LLM is not set") as raised:
        read_settings({"CPW_LLM": "  "})
    assert f"export CPW_LLM={LOCAL}" in raised.value.remedy


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:11434",
        "ftp://host/v1",
        "http://",
        "http://host:0/v1",
        "http://host:99999/v1",
        "https://me:secret@host/v1",
        "https://host/v1?key=secret",
        "http://[::1/v1",
        "http://llm.example.org\\.localhost/v1",
        "http://host /v1",
        "http://host\0/v1",
    ],
)
def test_an_address_that_is_none_or_has_a_secret_in_it_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_settings({"CPW_LLM": address})
    assert "secret" not in f"{raised.value}{raised.value.remedy}"


@pytest.mark.parametrize(
    ("address", "here"),
    [
        (LOCAL, True),
        ("http://localhost:8080/v1/", True),
        ("http://[::1]:8080/v1", True),
        ("http://127.8.9.1/v1", True),
        ("http://192.168.1.5:8000/v1", False),
        ("https://llm.example.org/v1", False),
        ("http://localhost.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
    ],
)
def test_what_is_not_this_machine_is_known(address: str, here: bool) -> None:
    found = read_settings({"CPW_LLM": address})
    assert found.is_this_machine is here
    assert not found.url.endswith("/")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_comes_from_a_file_of_one_s_own_and_is_not_shown(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key"
    file.write_text(" sk-abc\n")
    file.chmod(mode)
    found = read_settings({"CPW_LLM": LOCAL, "CPW_LLM_KEY_FILE": str(file)})
    assert found.key == "sk-abc"
    assert "sk-abc" not in f"{found}{found!r}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601])
def test_a_key_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key"
    file.write_text("sk-abc")
    file.chmod(mode)
    with pytest.raises(UsageError, match="by others") as raised:
        read_settings({"CPW_LLM": LOCAL, "CPW_LLM_KEY_FILE": str(file)})
    assert raised.value.remedy.endswith(f"chmod 600 {file}")


@pytest.mark.parametrize("text", ["", "two words", "clé", "\0"])
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(UsageError, match="does not hold a key") as raised:
        read_settings({"CPW_LLM": LOCAL, "CPW_LLM_KEY_FILE": str(file)})
    assert not text or text not in str(raised.value)


@pytest.mark.parametrize("place", ["gone", "."])
def test_a_key_file_that_is_none_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match="CPW_LLM_KEY_FILE"):
        read_settings({"CPW_LLM": LOCAL, "CPW_LLM_KEY_FILE": str(tmp_path / place)})


def test_a_film_is_waited_for_less_than_its_budget_and_a_slow_machine_longer() -> None:
    short, long = patience_for(60_000, {}), patience_for(7_200_000, {})
    assert short.film_s == pytest.approx(0.8 * 900)
    assert (short.total_s, long.total_s) == (900, 900)
    assert patience_for(1_000, {}).total_s < short.film_s
    slow = patience_for(60_000, {"CPW_BUDGET_SCALE": "4"})
    assert (slow.first_s, slow.between_s, slow.film_s) == (
        4 * short.first_s,
        4 * short.between_s,
        4 * short.film_s,
    )
    assert patience_for(60_000, {"CPW_BUDGET_SCALE": "much"}) == short

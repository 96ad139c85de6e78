from __future__ import annotations

import pytest

from envspecs.access import masked, read_token, token_file
from envspecs.builds.uv import child_environment
from protocol.errors import UsageError

TOKEN = "hf_abc"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    token_file().parent.mkdir()
    return token_file()


def test_without_a_token_there_is_none(settings):
    assert read_token() == ""


def test_the_environment_goes_before_the_file(settings, monkeypatch):
    settings.write_text(f" {TOKEN}\n")
    settings.chmod(0o600)
    assert read_token() == TOKEN
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    assert read_token() == "hf_other"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused_without_its_contents(settings, mode):
    settings.write_text(TOKEN)
    settings.chmod(mode)
    with pytest.raises(UsageError) as refused:
        read_token()
    assert refused.value.remedy == f"chmod 600 {settings}"
    assert TOKEN not in refused.value.message


def test_no_other_tool_sees_a_token(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", TOKEN)
    assert TOKEN not in child_environment(tmp_path).values()


def test_a_token_is_masked_wherever_it_stands():
    assert masked(f"no {TOKEN} and {TOKEN}", TOKEN) == "no *** and ***"
    assert masked("nothing", "") == "nothing"

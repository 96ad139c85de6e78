"""What a person sets for web hooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from envspecs.http.hooks import HookSettings, MediaServer, hook_settings
from protocol.errors import UsageError


def test_nothing_set_makes_english_subtitles_of_films_that_come() -> None:
    assert hook_settings({}) == HookSettings(
        workflow="translate", languages=("en",), events=frozenset({"added"})
    )


def test_everything_can_be_set(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    found = hook_settings(
        {
            "CPW_HOOK_WORKFLOW": "subtitle",
            "CPW_HOOK_LANGUAGES": "en, gujarati,en",
            "CPW_HOOK_EVENTS": "added,played",
            "CPW_PLEX": "http://127.0.0.1:32400/",
            "CPW_PLEX_TOKEN_FILE": str(token),
            "CPW_WEBHOOK_URL": "https://there/x?key=1",
        }
    )
    assert (found.workflow, found.languages, len(found.events)) == ("subtitle", ("en", "gu"), 2)
    assert found.servers == {"plex": MediaServer(url="http://127.0.0.1:32400", token_file=token)}
    assert found.told == "https://there/x?key=1"
    assert hook_settings({"CPW_HOOK_WORKFLOW": "transcribe"}).languages == ()


@pytest.mark.parametrize(
    "variables",
    [
        {"CPW_HOOK_WORKFLOW": "dance"},
        {"CPW_HOOK_LANGUAGES": "klingon"},
        {"CPW_HOOK_EVENTS": "deleted"},
        {"CPW_HOOK_WORKFLOW": "transcribe", "CPW_HOOK_LANGUAGES": "en"},
        {"CPW_PLEX": "http://there"},
        {"CPW_PLEX_TOKEN_FILE": "/etc/hosts"},
        {"CPW_JELLYFIN": "http://there", "CPW_JELLYFIN_TOKEN_FILE": "/not/there"},
        {"CPW_WEBHOOK_URL": "file:///etc/passwd"},
        {"CPW_WEBHOOK_URL": "there/secret"},
        {"CPW_WEBHOOK_URL": "http://[secret"},
    ],
)
def test_what_is_wrong_is_refused_and_no_secret_is_shown(variables: dict[str, str]) -> None:
    with pytest.raises(UsageError) as refused:
        hook_settings(variables)
    assert "secret" not in f"{refused.value.message} {refused.value.remedy}"

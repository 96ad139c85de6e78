"""What the payloads of media servers say, and which films are left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clients.api.hooks.events import Happened, read_event
from clients.api.hooks.skipping import has_any, missing_languages, why_left_alone

PAYLOADS: list[tuple[str, dict[str, Any], Happened]] = [
    (
        "plex",
        {"event": "library.new", "Metadata": {"ratingKey": "12345", "type": "movie"}},
        Happened(event="library.new", kind="added", item="12345"),
    ),
    (
        "plex",
        {"event": "media.play", "Metadata": {"ratingKey": "../../x"}},
        Happened(event="media.play", kind="played"),
    ),
    ("plex", {"event": "media.stop", "Metadata": None}, Happened(event="media.stop")),
    (
        "jellyfin",
        {"NotificationType": "ItemAdded", "ItemId": "f27caa37e5142225cceded48f6553502"},
        Happened(event="ItemAdded", kind="added", item="f27caa37e5142225cceded48f6553502"),
    ),
    (
        "emby",
        {"Event": "library.new", "Item": {"Path": "/media/x.mkv"}},
        Happened(event="library.new", kind="added", paths=("/media/x.mkv",)),
    ),
    ("emby", {"Event": "system.notificationtest"}, Happened(event="system.notificationtest")),
    (
        "tautulli",
        {"event": "played", "file": "/tv/a.mkv", "filename": "a.mkv", "mediatype": "movie"},
        Happened(event="played", kind="played", paths=("/tv/a.mkv",)),
    ),
    (
        "sonarr",
        {
            "eventType": "Download",
            "series": {"path": "/tv/Show"},
            "episodeFile": {"relativePath": "Season 1/E1.mkv", "path": "/tv/Show/Season 1/E1.mkv"},
            "episodeFiles": [{"path": "/tv/Show/Season 1/E1.mkv"}, {"path": "/tv/Show/Season 1/E2.mkv"}],
            "isUpgrade": False,
        },
        Happened(
            event="Download", kind="added", paths=("/tv/Show/Season 1/E1.mkv", "/tv/Show/Season 1/E2.mkv")
        ),
    ),
    ("sonarr", {"eventType": "Test", "series": {"path": "C:\\testpath"}}, Happened(event="Test")),
    (
        "radarr",
        {
            "eventType": "Download",
            "movie": {"folderPath": "C:\\Films\\Film (2020)"},
            "movieFile": {"relativePath": "Film.mkv"},
        },
        Happened(event="Download", kind="added", paths=("C:\\Films\\Film (2020)\\Film.mkv",)),
    ),
    ("radarr", {"eventType": "Grab", "movieFile": "wrong", "movie": []}, Happened(event="Grab")),
]


@pytest.mark.parametrize(("server", "payload", "happened"), PAYLOADS)
def test_a_payload_says_what_happened_to_which_film(
    server: str, payload: dict[str, Any], happened: Happened
) -> None:
    assert read_event(server, payload) == happened


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "library" / "show" / "season" / "Film.mkv"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    return path


def nothing_inside() -> tuple[str, ...]:
    return ()


def test_languages_that_are_there_are_not_made_again(film: Path) -> None:
    assert missing_languages(film, ("en", "gu"), nothing_inside) == ("en", "gu")
    film.with_name("Film.eng.srt").touch()
    film.with_name("Film.gu.forced.srt").touch()
    film.with_name("Other.gu.srt").touch()
    assert missing_languages(film, ("en", "gu"), nothing_inside) == ("gu",)
    assert missing_languages(film, ("en", "gu"), lambda: ("gu",)) == ()


def test_any_subtitles_are_some(film: Path) -> None:
    assert not has_any(film, nothing_inside)
    assert has_any(film, lambda: ("und",))
    film.with_name("Film.srt").touch()
    assert has_any(film, nothing_inside)


@pytest.mark.parametrize("marker", [".cpw-skip", ".nosub"])
def test_a_marker_in_a_folder_up_to_the_librarys_leaves_its_films_alone(film: Path, marker: str) -> None:
    library = film.parents[2]
    assert why_left_alone(film, [library]) == ""
    (library.parent / marker).touch()
    assert why_left_alone(film, [library]) == ""
    for folder in (library, film.parents[1], film.parent):
        (folder / marker).touch()
        assert why_left_alone(film, [library]) == f"{marker} lies in {folder.name}."
        (folder / marker).unlink()


def test_what_is_no_film_is_left_alone(film: Path) -> None:
    text = film.with_name("Film.nfo")
    text.touch()
    assert why_left_alone(text, []) == "It is no film."
    assert why_left_alone(film.with_name("gone.mkv"), []) == "There is no such file here."
    assert why_left_alone(film.parent, []) == "There is no such file here."

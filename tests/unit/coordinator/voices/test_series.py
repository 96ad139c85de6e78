"""To which series a film belongs."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from coordinator.planning.planner import title_of
from coordinator.voices.series import series_of
from protocol.messages import Submit

NAMES = {
    "Sacred.Games.S01E02.1080p.WEB-DL.mkv": "Sacred Games",
    "Friends 1x02 - The One.mkv": "Friends",
    "The Wire - S03E11 - Middle Ground.mkv": "The Wire",
    "Seinfeld.S04E11E12.mkv": "Seinfeld",
    "Show_Name_s02e01.mkv": "Show Name",
    "UFO s1 e5.mkv": "UFO",
    "Gullak.E05.mkv": "Gullak",
    "The 100 S01E02.mkv": "The 100",
    "24 - S01E01.mkv": "24",
    "Doctor Who (2005) S01E01 Rose.mkv": "Doctor Who",
    "Panchayat.Season.3.Episode.4.mkv": "Panchayat",
    "Dark Staffel 2 Folge 4.mkv": "Dark",
    "Tatort.2021.Folge.1180.mkv": "Tatort",
    "Malgudi Days एपिसोड 5.mp4": "Malgudi Days",
    "Band.of.Brothers.Part.01.Currahee.mkv": "Band of Brothers",
    "[Group] Frieren - 05 (1080p) [ABCD].mkv": "Frieren",
    # the folders tell
    "Mirzapur/Season 2/S02E03.mkv": "Mirzapur",
    "Mirzapur/Season 2/03.mkv": "Mirzapur",
    "Mirzapur/S02E03.mkv": "Mirzapur",
    # films that are not parts of anything
    "Sholay (1975).mkv": "Sholay",
    "Sholay.1975.1080p.BluRay.mkv": "Sholay",
    "2001.mkv": "2001",
    "Area 51.mkv": "Area 51",
    "Ocean's 8.mkv": "Ocean's 8",
    "S1m0ne.mkv": "S1m0ne",
    "Epic (2013).mkv": "Epic",
}


@pytest.mark.parametrize(("name", "series"), NAMES.items())
def test_films_of_a_series_share_its_name(name: str, series: str) -> None:
    media = PurePath("/films") / name
    title, _ = title_of(Submit(media=str(media), workflow="subtitle", user="ann", out="/out"))
    assert series_of(title, media) == series


def test_a_title_that_a_person_wrote_does_not_take_an_episode_out_of_its_series() -> None:
    assert series_of("Pilot", PurePath("/films/Sacred.Games.S01E01.mkv")) == "Sacred Games"
    assert series_of("Sacred Games S01E01", PurePath("/films/a.mkv")) == "Sacred Games"

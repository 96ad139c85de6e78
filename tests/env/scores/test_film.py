"""A real film's job against what is said in it."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Figure
from tests.data import data
from tests.real_house import RealHouse

pytestmark = [pytest.mark.env("common", "whisperx", "scores"), pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_english_film_is_held_to_its_reference(real_house: RealHouse, figure: Figure) -> None:
    # The job of tests/env/test_films.py, where that ran before: its work is taken over.
    code, jobs, said = real_house.submit(str(data("film/film_en.mp4")), "--workflow", "subtitle")
    assert code == 0, said
    done = real_house.cpw(
        "compare", jobs[0]["job"], "--reference", str(data("film/film_en.eng.srt")), "--json"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    starts, ends = found["timing"]["starts"], found["timing"]["ends"]
    figure(
        f"film_en against its reference: word error rate {found['words']['error_rate']:.3f}, graphemes"
        f" {found['graphemes']['error_rate']:.3f}, chrF++ {found['chrf']}, SubER {found['suber']}, starts"
        f" {starts['found']} of 7, median {starts['median_ms']} ms, ends {ends['median_ms']} ms"
    )
    assert found["words"]["error_rate"] <= 0.10
    assert found["graphemes"]["error_rate"] <= found["words"]["error_rate"]
    assert 0 < found["suber"] < 60
    assert starts["found"] >= 5
    assert abs(starts["median_ms"]) <= 200
    assert found["timing"]["missing"] == 0

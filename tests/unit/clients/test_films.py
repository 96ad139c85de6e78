from __future__ import annotations

import os
from pathlib import Path

import pytest

from clients.films import find_films, natural_key


@pytest.fixture
def films(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "films"
    (folder / "more").mkdir(parents=True)
    for name in ("Part 10.MKV", "part 2.mkv", ".hidden.mkv", "x_subtitled.mkv", "notes.txt", "more/a.wav"):
        (folder / name).touch()
    job = folder / "out" / "0001"
    job.mkdir(parents=True)
    (job / "job.json").touch()
    (job / "audio.wav").touch()
    return folder


def names(found) -> list[str]:
    return [film.name for film in found.films]


def sentences(found) -> list[str]:
    return [problem.message for problem in found.problems]


def test_a_folder_gives_its_films_in_natural_order_without_what_is_hidden_or_ours(films):
    assert names(find_films([str(films)])) == ["a.wav", "part 2.mkv", "Part 10.MKV"]


def test_a_pattern_the_shell_did_not_expand_is_expanded(films):
    assert names(find_films(["films/*.mkv"])) == ["part 2.mkv"]
    assert names(find_films([f"{films}/**/*.wav"])) == ["a.wav"]


def test_a_name_with_brackets_that_exists_is_not_a_pattern(films):
    (films / "a [1080p].mkv").touch()
    assert names(find_films(["films/a [1080p].mkv"])) == ["a [1080p].mkv"]


@pytest.mark.parametrize("name", ["with space.mp4", "quote'\".mp4", "new\nline.mp4", "शोले.mkv", "-dash.mp4"])
def test_odd_names_are_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path(name).touch()
    assert find_films([name]).films == (tmp_path.resolve() / name,)


def test_a_named_file_is_taken_whatever_its_extension(films):
    assert names(find_films(["films/notes.txt"])) == ["notes.txt"]


def test_the_same_film_by_two_ways_counts_once_and_keeps_the_first_name(films):
    (films / "link.mkv").symlink_to(films / "part 2.mkv")
    found = find_films(["films/link.mkv", "films/part 2.mkv", "films/../films/part 2.mkv"])
    assert names(found) == ["link.mkv"]


def test_a_circle_of_links_ends(films):
    (films / "more" / "up").symlink_to(films)
    assert len(find_films(["films"]).films) == 3


def test_everything_wrong_is_told_at_once(films):
    (films / "gone.mkv").symlink_to("nowhere")
    os.mkfifo(films / "pipe.mkv")
    (films / "empty").mkdir()
    found = find_films(["nope.mkv", "films/*.xyz", "", "films/gone.mkv", "films/pipe.mkv", "films/empty"])
    assert sentences(found) == [
        "There is no file 'nope.mkv'.",
        "No film matches the pattern 'films/*.xyz'.",
        "One of the names is empty.",
        "'films/gone.mkv' is a link to a file that does not exist.",
        "'films/pipe.mkv' is neither a file nor a folder.",
        "The folder 'films/empty' has no films.",
    ]


def test_a_file_without_permission_is_refused(films, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "cannot be read" in sentences(find_films(["films/part 2.mkv"]))[0]


def test_a_name_that_is_not_utf8_is_told_apart_and_the_others_are_found(films):
    odd = os.fsdecode(b"caf\xe9.mp4")
    (films / odd).touch()
    found = find_films(["films"])
    assert names(found) == ["a.wav", "part 2.mkv", "Part 10.MKV"]
    assert [film.name for film in found.misnamed] == [odd]
    assert found.problems == ()


def test_natural_order_counts_numbers_of_any_length_and_script():
    assert sorted(["b10", "B2", "b1x", "b\u0967\u0966", "b"], key=natural_key)[:3] == ["b", "b1x", "B2"]

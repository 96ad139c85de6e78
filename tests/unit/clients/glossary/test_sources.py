"""Which glossaries a film has."""

from __future__ import annotations

import pytest

from clients.glossary.sources import BESIDE, Glossaries
from protocol.errors import UsageError
from protocol.jobs.glossary import Term


def written(path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def pairs(glossaries, film):
    return {term.source: term.target for term in glossaries.of(film)}


def test_the_nearest_counts(tmp_path):
    film = tmp_path / "Sholay" / "Season 2" / "e1.mkv"
    written(tmp_path / "Sholay" / BESIDE, "Jai,series\nVeeru,series\nBasanti,series\nThakur,series\n")
    written(film.parent / BESIDE, "Jai,season\nVeeru,season\nBasanti,season\n")
    first = written(tmp_path / "first.csv", "Jai,first\nVeeru,first\n")
    last = written(tmp_path / "last.csv", "Jai,last\n")
    assert pairs(Glossaries((first, last)), film) == {
        "Jai": "last",
        "Veeru": "first",
        "Basanti": "season",
        "Thakur": "series",
    }
    sent = (Term(source="jai", target="sent"),)
    assert pairs(Glossaries((first, last), sent), film)["jai"] == "sent"


@pytest.mark.parametrize("folder", ["Season 1", "season_01", "S02", "Staffel 3", "Specials"])
def test_above_a_season_is_its_series(tmp_path, folder):
    written(tmp_path / BESIDE, "Jai,series\n")
    assert pairs(Glossaries(()), tmp_path / folder / "e1.mkv") == {"Jai": "series"}


def test_above_another_folder_nothing_is_looked_for(tmp_path):
    written(tmp_path / BESIDE, "Jai,series\n")
    assert Glossaries(()).of(tmp_path / "Sholay" / "e1.mkv") == ()


def test_a_near_term_for_all_languages_stands_for_each(tmp_path):
    film = tmp_path / "e1.mkv"
    written(film.parent / BESIDE, "source,en,fr\nChai,tea,thé\n")
    assert Glossaries((), (Term(source="Chai"),)).of(film) == (Term(source="Chai"),)
    own = Term(source="Chai", target="cha", language="en")
    assert Glossaries((), (own,)).of(film) == (own, Term(source="Chai", target="thé", language="fr"))


@pytest.mark.parametrize("content", [None, b'"a\n', b"\0" * 5_000_000])
def test_a_file_that_is_no_glossary_is_named(tmp_path, content):
    path = tmp_path / "names.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"names\.csv"):
        Glossaries((str(path),))


def test_notes_name_their_file(tmp_path):
    glossaries = Glossaries((written(tmp_path / "names.csv", "a,b\na,c\n"),))
    assert list(glossaries.notes) == [
        "names.csv, line 2: 'a' is 'b' in line 1 and 'c' here: this line counts."
    ]

"""A glossary in the body of a request."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients.api.jobs.jobs import NewJobs
from clients.submission import Written, read_submissions
from protocol.errors import SchemaError, UsageError
from protocol.jobs.glossary import Term
from protocol.schema import from_plain

TERMS = [{"source": "Gabbar", "target": "Gabbar Singh", "language": "English"}, {"source": "Ramgarh"}]


def test_its_terms_come_with_the_submission(tmp_path: Path) -> None:
    wanted = from_plain(NewJobs, {"workflow": "transcribe", "glossary": TERMS}, strict=True)
    film = tmp_path / "film.mp4"
    film.touch()
    written = Written(media=(str(film),), workflow="transcribe", terms=wanted.glossary)
    (submission,) = read_submissions(written, tmp_path).submissions
    assert submission.glossary == (
        Term(source="Gabbar", target="Gabbar Singh", language="en"),
        Term(source="Ramgarh"),
    )


def test_a_wrong_word_or_language_is_refused_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"glossary\[0\]"):
        from_plain(NewJobs, {"workflow": "transcribe", "glossary": [{"sorce": "a"}]}, strict=True)
    written = Written(media=(), workflow="transcribe", terms=(Term(source="a", language="klingonese"),))
    (problem,) = read_submissions(written, tmp_path).problems
    assert isinstance(problem, UsageError)
    assert problem.message.startswith("glossary[0].language")

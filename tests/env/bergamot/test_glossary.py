"""Names of a glossary through a real worker of `bergamot`: written as it says, counted, marked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.artefacts import describe_file, write_json
from protocol.jobs.glossary import Term
from protocol.schema import from_plain, to_plain
from protocol.stages.translate import TranslateRequest
from protocol.timeline import Segment, Transcript
from tests.lone_worker import LoneWorker

pytestmark = [pytest.mark.env("bergamot"), pytest.mark.slow, pytest.mark.timeout(300)]

LINES = (
    "On Monday the King met Gabbar's men in New York.",
    "Gabbar drinks tea with the King.",
    "Nobody came.",
)
GLOSSARY = (
    Term(source="King", target="Thakur"),
    Term(source="Gabbar", target="Gabbar Singh"),
    Term(source="New York", target="Ramgarh"),
    Term(source="tea", target="chai"),
)


def test_names_are_written_as_the_glossary_says() -> None:
    """Without it none of the targets is written; what no term concerns is translated as it was."""
    texts: dict[bool, list[str]] = {}
    with LoneWorker.of("bergamot") as worker:
        worker.wait_ready()
        path = worker.folder / "transcript.json"
        segments = tuple(
            Segment(start_ms=place * 5_000, end_ms=place * 5_000 + 3_000, text=text)
            for place, text in enumerate(LINES)
        )
        write_json(path, to_plain(Transcript(language="en", segments=segments)))
        for glossary in ((), GLOSSARY):
            request = TranslateRequest(
                transcript=describe_file(path, path.name),
                audio=describe_file(path, path.name),
                source_language="en",
                target_language="pt",
                model="bergamot-en-pt",
                glossary=glossary,
            )
            result: Any = worker.do("translate", request)
            document = json.loads((worker.folder / result.transcript.path).read_text())
            texts[bool(glossary)] = [part.text for part in from_plain(Transcript, document).segments]
    assert not [term for term in GLOSSARY if term.target in " ".join(texts[False])]
    first, second, third = texts[True]
    assert {"Thakur", "Gabbar Singh", "Ramgarh"} <= {term.target for term in GLOSSARY if term.target in first}
    assert {"Thakur", "Gabbar Singh", "chai"} <= {term.target for term in GLOSSARY if term.target in second}
    assert third == texts[False][2]
    assert result.notes == ("6 of 6 terms as in the glossary",)
    assert not result.marks

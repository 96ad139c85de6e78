"""What a glossary changes in the requests of a job, and that none changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from coordinator.planning.builders import Inputs, Results, build_request
from protocol.artefacts import Artefact
from protocol.jobs.glossary import Term
from protocol.messages import Submit
from protocol.schema import from_plain, to_plain
from tests.unit.coordinator.planning.test_builders_clean import DONE, STEPS

TERMS = (
    Term(source="Gabbar", target="Gabbar Singh", language="en"),
    Term(source="Gabbar", target="Gabbar S.", language="fr"),
    Term(source="Ramgarh"),
)


def request(stage: str, *terms: Term, target: str = "en", choices: Any = None, **parameters: Any) -> Any:
    submit = Submit(
        media="/f.mkv", workflow="subtitle", user="u", out="/o", parameters=parameters, glossary=terms
    )
    done = {name: to_plain(result) for name, result in DONE.items()}
    inputs = Inputs(submit=submit, title="Film", results=Results(done, STEPS), target=target)
    return build_request(stage, replace(inputs, choices=choices or {}))


def test_recognition_listens_for_each_source_once() -> None:
    assert request("asr", *TERMS).hotwords == ("Gabbar", "Ramgarh")
    assert request("asr", *TERMS, asr={"hotwords": ["Jai"]}).hotwords == ("Jai",)


def test_a_translator_has_the_terms_of_its_language() -> None:
    written = {term.source: term.written for term in request("translate", *TERMS, target="fr").glossary}
    assert written == {"Gabbar": "Gabbar S.", "Ramgarh": "Ramgarh"}
    assert [term.source for term in request("translate", *TERMS, target="de").glossary] == ["Ramgarh"]


def test_without_a_glossary_requests_have_no_word_of_it() -> None:
    assert "glossary" not in to_plain(request("translate"))
    assert to_plain(request("asr"))["hotwords"] == []
    assert "glossary" not in to_plain(Submit(media="/f.mkv", workflow="subtitle", user="u", out="/o"))
    assert "terms" not in to_plain(request("clean"))


def test_what_was_heard_is_compared_with_the_sources() -> None:
    assert request("clean", *TERMS).terms == ("Gabbar", "Ramgarh")


def test_the_next_translator_has_what_was_set_of_the_translation_and_not_of_the_one_before() -> None:
    draft = {"path": "10_translate/draft.hi.json", "size": 1, "sha256": "0" * 64}
    asked = {"model": "gpt", "batch_size": 3, "target_script": "Latn", "retry": False}
    found = request("translate", target="hi", choices={"model": "nllb", "draft": draft}, translate=asked)
    assert (found.model, found.batch_size) == ("nllb", 0)
    assert (found.target_script, found.retry) == ("Latn", False)
    assert found.draft == from_plain(Artefact, draft)

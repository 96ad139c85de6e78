"""What a language model is asked."""

from __future__ import annotations

import json

import pytest

from protocol.artefacts import Artefact
from protocol.jobs.glossary import Term
from protocol.stages.translate import TranslateRequest
from workers.engines.llm.prompts import form_of, occurring, question, recent, system_prompt
from workers.engines.llm.scenes import SceneLine

NOTHING = Artefact(path="x", size=0, sha256="")
MANY = tuple(Term(source=f"Name{place}", target=f"Nome{place}") for place in range(60))


def request(**fields: object) -> TranslateRequest:
    asked = {"source_language": "en", "target_language": "pt", **fields}
    return TranslateRequest(transcript=NOTHING, audio=NOTHING, **asked)


def line(text: str) -> SceneLine:
    return SceneLine(text=text, start_ms=0, end_ms=1_000)


@pytest.mark.parametrize(
    ("term", "said", "occurs"),
    [
        (Term(source="Ramgarh"), "Go to ramgarh!", True),
        (Term(source="Ram"), "Go to Ramgarh!", False),
        (Term(source="C++"), "She writes C++, mostly.", True),
        (Term(source="गब्बर"), "गब्बर आ गया।", True),
        (Term(source="राम"), "रामू आ गया।", False),
        (Term(source="Jos\u00e9"), "Jose\u0301!", True),
        (Term(source="O'Brien Junior"), "O\u2019Brien  Junior", True),
        (Term(source="Ram", language="hi"), "Ram is here.", False),
        (Term(source="Ram", language="pt-BR"), "Ram is here.", True),
        (Term(source="  "), "Ram is here.", False),
    ],
)
def test_a_term_occurs_as_a_word_of_its_own(term: Term, said: str, occurs: bool) -> None:
    assert bool(occurring([term], ["Well.", said], "en", "pt")) is occurs


def test_a_term_occurs_where_words_have_no_spaces_between_them() -> None:
    glossary = (Term(source="東京", target="Tóquio"),)
    prompt = system_prompt(request(source_language="ja", glossary=glossary), ["明日東京に行く。"])
    assert "東京 = Tóquio" in prompt


def test_a_term_without_a_target_stays_as_it_is_and_a_note_says_what_it_is() -> None:
    glossary = (Term(source="Ramgarh", note="a village"), Term(source="Thakur", target="Senhor"))
    prompt = system_prompt(request(glossary=glossary), ["Thakur lives in Ramgarh."])
    assert "Terms:\nRamgarh = Ramgarh (a village)\nThakur = Senhor\n" in prompt


def test_of_many_terms_a_scene_gets_its_own() -> None:
    texts = [f"Name{place} came." for place in range(60)]
    terms = occurring(MANY, texts, "en", "pt")
    assert "Name1" not in system_prompt(request(glossary=MANY), texts)
    asked = json.loads(question([line(texts[7]), line("Yes.")], [], terms, "en", "pt"))
    assert asked["terms"] == ["Name7 = Nome7"]
    assert "terms" not in json.loads(question([line("Yes.")], [], terms, "en", "pt"))


def test_scripts_are_named() -> None:
    assert "into Hindi in Latin letters." in system_prompt(
        request(target_language="hi", target_script="Latn"), []
    )


def test_a_synopsis_is_one_line_and_not_too_long() -> None:
    prompt = system_prompt(request(synopsis=f"A\nfilm {'x' * 5_000}"), [])
    assert "The film: A film xxx" in prompt
    assert len(prompt) < 3_000


def test_the_last_pairs_are_told_as_many_as_there_is_room_for() -> None:
    pairs = [(f"SceneLine {place}.", f"Linha {place}.") for place in range(40)]
    assert recent(pairs) == pairs[-12:]
    long = [("x" * 400, "y" * 400)] * 5
    assert recent(long) == long[:1]
    assert recent([]) == []


def test_an_answer_has_a_text_for_each_number_and_nothing_else() -> None:
    form = form_of(3)
    assert form["required"] == ["1", "2", "3"]
    assert form["properties"] == {number: {"type": "string"} for number in ("1", "2", "3")}
    assert form["additionalProperties"] is False

"""Terms kept from a translator."""

from __future__ import annotations

import re
from collections.abc import Sequence

from protocol.artefacts import Artefact
from protocol.jobs.glossary import Term
from protocol.stages.translate import TranslateRequest
from workers.text.glossary.finding import TermFinder
from workers.text.glossary.protecting import FORMS, NAMES, protect, protecting, restore

NOTHING = Artefact(path="t.json", size=0, sha256="0" * 64)
TERMS = (
    Term(source="Gabbar", target="Gabar Singh"),
    Term(source="Ramgarh"),
    Term(source="chai", target="chá"),
)


def request(target: str = "pt", terms: Sequence[Term] = TERMS) -> TranslateRequest:
    return TranslateRequest(
        transcript=NOTHING, audio=NOTHING, source_language="en", target_language=target, glossary=tuple(terms)
    )


class Model:
    """Translates by words, and copies those that it does not know."""

    def __init__(self, words: dict[str, str] | None = None) -> None:
        self.words = words or {}
        self.asked: list[list[str]] = []

    def __call__(self, texts, progress):
        self.asked.append(list(texts))
        progress(1.0)
        return [
            re.sub(r"[#\w]+", lambda word: self.words.get(word.group(), word.group()), text) for text in texts
        ]


def translated(model, *texts: str, target: str = "pt", terms: Sequence[Term] = TERMS) -> list[str]:
    return protecting(model, request(target, terms))(texts, lambda _: None)


def test_a_translation_that_has_the_terms_stays_as_the_model_wrote_it():
    model = Model({"is": "está", "in": "em", "Gabbar": "Gabar Singh"})
    assert translated(model, "Gabbar is in Ramgarh") == ["Gabar Singh está em Ramgarh"]
    assert model.asked == [["Gabbar is in Ramgarh"]]


def test_a_word_that_was_copied_is_written_as_its_target():
    model = Model({"met": "viu"})
    assert translated(model, "He met Gabbar", "He met") == ["He viu Gabar Singh", "He viu"]
    assert len(model.asked) == 1


def test_a_term_within_another_one_stays_as_that_one_has_it():
    terms = (Term(source="New Delhi", target="Nova Delhi"), Term(source="Delhi", target="Dilli"))
    model = Model({"New": "Nova", "is": "é"})
    assert translated(model, "New Delhi is Delhi", terms=terms) == ["Nova Delhi é Dilli"]
    terms = (Term(source="Ram Singh"), Term(source="Ram", target="Rama"))
    assert translated(Model(), "Ram Singh met Ram", terms=terms) == ["Ram Singh met Rama"]


def test_a_name_that_a_target_has_stands_for_no_other_term():
    model = Model({"Gabbar": "Tagarela", "Ramgarh": "Aldeia"})
    terms = (Term(source="Gabbar", target=NAMES[1]), Term(source="Ramgarh", target="Ramgarho"))
    assert translated(model, "Gabbar, Ramgarh", terms=terms) == [f"{NAMES[1]}, Ramgarho"]


def test_a_model_sees_names_and_the_targets_stand_in_its_translation():
    model = Model({"is": "está", "in": "em", "Gabbar": "Tagarela"})
    assert translated(model, "Gabbar is in Ramgarh", "He is in") == [
        "Gabar Singh está em Ramgarh",
        "He está em",
    ]
    assert model.asked == [["Gabbar is in Ramgarh", "He is in"], ["Zorvex is in Xyzzar"]]


def test_a_target_begins_a_sentence_with_a_capital():
    model = Model({"and": "e", "chai": "bebida"})
    assert translated(model, "chai and more chai!", "- chai?") == ["Chá e more chá!", "- Chá?"]


def test_a_possessive_stays_for_the_model():
    model = Model({"Gabbar": "Tagarela"})
    translated(model, "Gabbar's horse")
    assert model.asked[1] == ["Zorvex's horse"]


def test_a_name_that_the_text_has_is_not_taken():
    model = Model({"Gabbar": "Tagarela"})
    translated(model, "Zorvex met Gabbar")
    assert model.asked[1] == ["Zorvex met Xyzzar"]


def test_lost_names_are_tried_with_others():
    model = Model({"Zorvex": "Xiza", "met": "viu", "Gabbar": "Tagarela"})
    assert translated(model, "He met Gabbar", "He met") == ["He viu Gabar Singh", "He viu"]
    assert model.asked[1:] == [["He met Zorvex"], [f"He met {NAMES[5]}"]]


def test_where_no_name_survives_the_plain_translation_counts():
    lost = dict.fromkeys(NAMES, "nome")
    model = Model({**lost, "met": "viu", "Gabbar": "Tagarela"})
    assert translated(model, "He met Gabbar") == ["He viu Tagarela"]
    assert len(model.asked) == 3


def test_a_doubtful_translation_with_names_is_no_better_than_the_plain_one():
    def model(texts, progress):
        return [
            "Tagarela viu 1850 cavalos" if "Gabbar" in text else text[:6] + " viu cavalos" for text in texts
        ]

    assert translated(model, "Gabbar saw 1850 horses") == ["Tagarela viu 1850 cavalos"]


def test_a_part_of_a_name_is_no_name():
    lost = {name: name + "an" for name in NAMES}
    assert translated(Model(lost), "He met Ramgarh") == ["He met Ramgarh"]
    held = protect("Ramgarh", TermFinder(TERMS, "en"), FORMS[0])
    assert held is not None
    assert restore(held, "Zorvex, Zorvexan", "pt") is None
    assert restore(held, "ZORVEX", "pt") == "Ramgarh"


def test_for_another_script_a_name_is_a_hash_tag_and_then_a_name():
    model = Model({"#Zorvex": "क", "met": "मिला", "He": "वह", "Gabbar": "ग"})
    terms = (Term(source="Gabbar", target="गब्बर"),)
    assert translated(model, "He met Gabbar", target="hi", terms=terms) == ["वह मिला गब्बर"]
    assert model.asked[1:] == [["He met #Zorvex"], ["He met Zorvex"]]


def test_a_text_with_more_terms_than_names_keeps_as_many_as_there_are():
    terms = [Term(source=f"Name{place}", target=f"Nome{place}") for place in range(12)]
    model = Model({term.source: "nome" for term in terms})
    (found,) = translated(model, " ".join(term.source for term in terms), terms=terms)
    assert found == " ".join([*(f"Nome{place}" for place in range(10)), "nome", "nome"])


def test_without_a_glossary_the_translator_is_as_it_was():
    model = Model()
    assert protecting(model, request(terms=())) is model
    assert translated(model, "He", "is") == ["He", "is"]
    assert model.asked == [["He", "is"]]

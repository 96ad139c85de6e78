"""Terms in translations, checked."""

from __future__ import annotations

import pytest

from protocol.artefacts import Artefact
from protocol.jobs.glossary import Term
from protocol.stages.translate import TranslateRequest
from protocol.subtitles.doubts import DOUBTS, LENGTH, TERM, UNTRANSLATED
from protocol.timeline import Segment
from workers.text.glossary.checking import CHANGED, FOUND, MISSING, mark_terms, state_of

NOTHING = Artefact(path="t.json", size=0, sha256="0" * 64)


@pytest.mark.parametrize(
    ("target", "translation", "state"),
    [
        ("Gabbar", "Der Hut Gabbars.", FOUND),
        ("Gabbar", "GABBAR!", FOUND),
        ("Gabbar", "Gabar kam.", CHANGED),
        ("Gabbar", "Er kam.", MISSING),
        ("Jai", "Im jail.", CHANGED),
        ("New Delhi", "in New\nDelhi", FOUND),
        ("New Delhi", "in Neu Delhi.", CHANGED),
        ("New Delhi", "in der Hauptstadt", MISSING),
        ("गब्बर", "गब्बरों का", FOUND),
        ("राम", "रामा", CHANGED),
    ],
)
def test_a_term_is_found_changed_or_missing(target, translation, state):
    assert state_of(Term(source="x", target=target), translation, "de") == state


def test_a_term_in_a_script_without_spaces():
    assert state_of(Term(source="Tokyo", target="東京"), "彼は東京にいる", "ja") == FOUND


def segment(place: int, text: str, *marks: str) -> Segment:
    return Segment(start_ms=place, end_ms=place + 1, text=text, marks=marks)


def test_segments_are_marked_and_counted():
    request = TranslateRequest(
        transcript=NOTHING,
        audio=NOTHING,
        source_language="en",
        target_language="pt",
        glossary=(Term(source="Gabbar"), Term(source="tea", target="chá")),
    )
    said = {
        (0, 1): "Gabbar drinks tea and tea.",
        (1, 2): "Gabbar?",
        (2, 3): "Gabbar's tea.",
        (3, 4): "Nobody.",
        (4, 5): "Gabbar!",
        (5, 6): "Das ist Gabbar, tea.",
    }
    segments = [
        segment(0, "Gabbar toma chá e chá."),
        segment(1, "Gabar?", LENGTH),
        segment(2, "Uma bebida."),
        segment(3, "Ninguém."),
        segment(4, "", UNTRANSLATED),
        segment(5, "Das ist Gabbar, tea."),
    ]
    marked, notes = mark_terms(segments, said, request)
    assert [one.marks for one in marked] == [(), (LENGTH, TERM), (TERM,), (), (UNTRANSLATED,), ()]
    assert notes == ("2 of 5 terms as in the glossary, 1 (Gabbar) changed, 2 (Gabbar, tea) missing",)
    assert TERM in DOUBTS


def test_nothing_is_told_where_no_term_is_said():
    request = TranslateRequest(transcript=NOTHING, audio=NOTHING, source_language="en", target_language="pt")
    assert mark_terms([segment(0, "Olá.")], {(0, 1): "Hello."}, request) == ([segment(0, "Olá.")], ())

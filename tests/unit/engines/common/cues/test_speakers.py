"""Cues of words whose speakers are known: who shares a cue with whom, and how it is written."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.languages import UNSPACED
from protocol.timeline import Cue, Word
from tests.conftest import Figure
from tests.heard import heard
from tests.unit.engines.common.cues.test_properties import (
    check_judged,
    check_lines,
    check_times,
    spans_of,
)
from tests.word_streams import Case, cases
from workers.engines.common.cues.checking.quality import check
from workers.engines.common.cues.cut import cut, timed_tokens
from workers.engines.common.cues.marks import DASHES, is_lone
from workers.engines.common.cues.profiles import PROFILES, rules_for

RULES = rules_for("netflix", "en")
UNSAID = regex.compile(rf"[\s\p{{C}}\p{{Zl}}\p{{Zp}}>{regex.escape(DASHES)}]+")
_FEW, _MANY = 300, 20_000


def said(*turns: tuple[str, str], start: int = 1_000, letter: int = 70, gap: int = 60) -> list[Word]:
    """Return the words of (speaker, text); `~1200~` is a pause."""
    now, words = start, []
    for speaker, text in turns:
        for part in text.split():
            if pause := regex.fullmatch(r"~(\d+)~", part):
                now += int(pause[1])
                continue
            words.append(Word(text=part, start_ms=now, end_ms=now + letter * len(part), speaker=speaker))
            now += letter * len(part) + gap
    return words


def shown(words: Sequence[Word], profile: str = "netflix", language: str = "en", **names: str) -> list:
    rules = rules_for(profile, language, names={key[1:]: name for key, name in names.items()})
    return [(cue.lines, cue.speakers) for cue in cut(words, rules)]


def test_two_short_turns_share_a_cue_as_two_hyphen_lines():
    (cue,) = cut(said(("1", "Coming?"), ("2", "Yes."), letter=50), RULES)
    assert cue.lines == ("-Coming?", "-Yes.")
    assert cue.speakers == ("1", "2")


def test_turns_that_can_be_seen_alone_have_cues_of_their_own_without_hyphens():
    words = said(("1", "Are you coming to the village with us?"), ("2", "I will be there in a minute."))
    assert shown(words) == [
        (("Are you coming to the village with us?",), ("1",)),
        (("I will be there in a minute.",), ("2",)),
    ]


def test_a_speaker_who_changes_inside_a_sentence_parts_it_there():
    words = said(("1", "If you go to the village tomorrow"), ("2", "then I will go with you of course."))
    assert [cue.speakers for cue in cut(words, RULES)] == [("1",), ("2",)]


@pytest.mark.parametrize("letter", [10, 25, 50, 80])
def test_three_short_turns_never_share_a_cue(letter):
    words = said(("1", "Yes?"), ("2", "No."), ("3", "Why?"), ("1", "So."), letter=letter, gap=10)
    cues = cut(words, RULES)
    assert max(len(set(cue.speakers)) for cue in cues) <= 2
    assert sum(len(cue.lines) for cue in cues) == 4


def test_words_without_a_speaker_belong_to_their_neighbours():
    words = said(("1", "Are you"), ("", "coming to the"), ("1", "village with us?"))
    assert shown(words) == [(("Are you coming to the village with us?",), ("1",))]
    words = said(("1", "We go there now."), ("", "So do"), ("2", "we, all of us, at once."))
    assert shown(words) == [(("We go there now.",), ("1",)), (("So do we, all of us, at once.",), ("2",))]


@pytest.mark.parametrize("dash", ["-", "- ", "\N{EN DASH} ", ">> "])
def test_a_dash_of_the_text_is_not_written_twice(dash):
    words = said(("1", f"{dash}Coming?"), ("2", f"{dash}Yes."), letter=50)
    assert shown(words) == [(("-Coming?", "-Yes."), ("1", "2"))]


def test_a_dash_that_one_speaker_is_heard_on_both_sides_of_is_left_out():
    words = said(("1", "- We are all here."), ("1", "- And so are you."))
    assert [line for lines, _ in shown(words) for line in lines] == ["We are all here.", "And so are you."]


def test_a_dash_stands_for_a_speaker_who_is_not_known():
    words = said(("1", "Coming?"), ("", "- Yes."), letter=50)
    assert shown(words) == [(("-Coming?", "-Yes."), ("1", ""))]


def test_a_minus_stays():
    assert shown(said(("1", "It is -5 degrees outside.")))[0][0] == ("It is -5 degrees outside.",)


@pytest.mark.parametrize(
    ("profile", "language", "lines"),
    [
        ("netflix", "en", ("-Da?", "-Da.")),
        ("netflix", "fr", ("- Da?", "- Da.")),
        ("netflix", "nl", ("Da?", "-Da.")),
        ("netflix", "bg", ("Da?", "- Da.")),
        ("netflix", "hi-Latn", ("-Da?", "-Da.")),
        ("bbc", "fr", ("– Da?", "– Da.")),  # noqa: RUF001 (the BBC's dash)
        ("relaxed", "es", ("- Da?", "- Da.")),
    ],
)
def test_hyphens_are_those_of_the_profile_and_the_language(profile, language, lines):
    assert shown(said(("1", "Da?"), ("2", "Da.")), profile, language) == [(lines, ("1", "2"))]


def test_hyphens_count_in_a_line():
    long = "x" * 20 + " " + "y" * 20 + "."
    assert len(long) == 42
    words = said(("1", "Da?"), ("2", long), letter=10, gap=10)
    assert [len(lines) for lines, _ in shown(words)] == [1, 1]
    assert shown(words, "netflix", "nl")[-1][0] == (long,)


def test_a_profile_of_one_line_never_joins_two_speakers():
    words = said(("1", "Da?"), ("2", "Da."), letter=30)
    assert [lines for lines, _ in shown(words, "social")] == [("Da?",), ("Da.",)]


def test_sdh_names_whom_it_can_where_the_speaker_changes():
    words = said(
        ("1", "We go to the village now, all of us."), ("1", "Nobody stays in this house tonight."),
        ("2", "I will be there in a minute."), ("1", "Then hurry up, my friend, please."),
    )  # fmt: skip
    assert [" ".join(lines) for lines, _ in shown(words, "sdh", _1="Gabbar Singh")] == [
        "[Gabbar Singh] We go to the village now, all of us.",
        "Nobody stays in this house tonight.",
        "I will be there in a minute.",
        "[Gabbar Singh] Then hurry up, my friend, please.",
    ]
    assert shown(words, "netflix", _1="Gabbar Singh") == shown(words)


def test_sdh_names_stand_behind_the_hyphens():
    words = said(("1", "Coming?"), ("2", "Yes."), letter=50)
    assert shown(words, "sdh", _1="Veeru", _2="Jai\n") == [(("-[Veeru] Coming?", "-[Jai] Yes."), ("1", "2"))]


def test_a_name_that_no_line_holds_is_left_out():
    words = said(("1", "Nobody stays in this house."))
    assert shown(words, "sdh", _1="x" * 60) == shown(words)


def test_the_second_of_two_who_talk_on_does_not_lose_half_a_sentence():
    words = said(("1", "Da?"), ("2", "I will go to the village with you, of course, and then we shall see."))
    for cue in cut(words, RULES):
        assert len(set(cue.speakers)) == 1 or cue.lines[1].endswith(".")


# Thousands of streams


@st.composite
def voiced(draw: st.DrawFn) -> Case:
    """Draw a stream whose words have speakers: up to four people, some words of nobody, some dashes."""
    case = draw(cases())
    speaker, words = "1", []
    for word, byte in zip(
        case.words, draw(st.binary(min_size=len(case.words), max_size=len(case.words))), strict=True
    ):
        if changes := byte >= 160:
            speaker = "1234"[byte % 4]
        known = "" if byte % 16 == 7 else speaker
        dashed = f"-{word.text}" if changes and byte % 32 == 3 else word.text
        words.append(replace(word, text=dashed, speaker=known))
    names = (("1", "Gabbar"), ("2", "Thakur Baldev Singh")) if case.profile == "sdh" else ()
    return replace(case, words=tuple(words), rules=replace(case.rules, names=names))


def letters(text: str) -> str:
    """Return what of a text is said: no space, no control, no dash."""
    return UNSAID.sub("", text)


def bare_lines(case: Case, cue: Cue) -> list[str]:
    """Return the lines of a cue without hyphens and names."""
    names = [f"[{name}]" for _, name in case.rules.names]
    found = []
    for place, line in enumerate(cue.lines):
        text = line.removeprefix(case.rules.hyphens[place]) if len(set(cue.speakers)) > 1 else line
        for name in names:
            text = text.removeprefix(name)
        found.append(text)
    return found


def check_speech(case: Case, cues: Sequence[Cue]) -> None:
    """Every letter is there, once, in its place."""
    lines = [line for cue in cues for line in bare_lines(case, cue)]
    assert letters("".join(lines)) == letters("".join(word.text for word in case.words))


def owners(case: Case) -> list[str]:
    """Return the known speaker of each letter that is said; empty for marks, which nobody says."""
    return [
        "" if is_lone(part) else word.speaker
        for word in case.words
        for part in UNSAID.split(word.text)
        for _ in part
    ]


def check_who(case: Case, cues: Sequence[Cue], seen: Counter[str]) -> None:
    spoken = iter(owners(case))
    for cue in cues:
        assert len(cue.speakers) in (0, len(cue.lines))
        speakers = cue.speakers or ("",) * len(cue.lines)
        changed = [one != two for one, two in itertools.pairwise(speakers)]
        assert sum(changed) <= 1
        assert not any(changed) or len(cue.lines) == 2
        for line, speaker in zip(bare_lines(case, cue), speakers, strict=True):
            who = {next(spoken) for _ in letters(line)} - {""}
            assert who <= {speaker} or case.rules.language in UNSPACED
        if any(changed):
            seen["of two"] += 1
            for hyphen, line in zip(case.rules.hyphens, cue.lines, strict=True):
                assert line.startswith(hyphen)
                assert line[len(hyphen) : len(hyphen) + 1].strip() != ""


def check_never_mixed(case: Case, cues: Sequence[Cue]) -> None:
    """No token of another speaker is in a line, in scripts without spaces too."""
    tokens = timed_tokens(case.words, case.rules)
    for cue, (first, stop) in zip(cues, spans_of_spoken(case, cues), strict=True):
        # Where a mark without a letter stands, letters do not tell.
        spoken = (token.speaker for token in tokens[first:stop] if token.speaker and letters(token.text))
        who = [speaker for speaker, _ in itertools.groupby(spoken)]
        assert len(who) <= 2
        assert len(who) < 2 or list(cue.speakers) == who


def spans_of_spoken(case: Case, cues: Sequence[Cue]) -> list[tuple[int, int]]:
    tokens = [replace(token, text=letters(token.text)) for token in timed_tokens(case.words, case.rules)]
    lines = [tuple(map(letters, bare_lines(case, cue))) for cue in cues]
    return spans_of([replace(cue, lines=own) for cue, own in zip(cues, lines, strict=True)], tokens)


def run(examples: int) -> Counter[str]:
    seen: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(voiced())
    def every_rule_holds(case: Case) -> None:
        cues = cut(case.words, case.rules)
        check_speech(case, cues)
        check_lines(case, cues)
        check_times(case, cues)
        check_judged(case, cues)
        check_who(case, cues, seen)
        check_never_mixed(case, cues)
        seen.update(("streams", f"by {case.profile}", f"in {case.rules.language}"))
        seen["cues"] += len(cues)

    every_rule_holds()
    return seen


def told(seen: Counter[str]) -> str:
    return (
        f"words with speakers: {seen['streams']} streams, {seen['cues']} cues, {seen['of two']} of them of "
        "two speakers: every rule held"
    )


def test_every_rule_holds_for_words_with_speakers(figure: Figure) -> None:
    seen = run(_FEW)
    figure(told(seen))
    assert seen["of two"] > 50
    assert {label[3:] for label in seen if label.startswith("by ")} == set(PROFILES)


@pytest.mark.long
@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_rule_holds_for_many_more_words_with_speakers(figure: Figure) -> None:
    figure(told(run(_MANY)))


# What was heard in a film


@pytest.mark.parametrize(("every", "shared"), [(2, 10), (3, 5), (9, 0)])
def test_hyphens_of_a_film_stand_only_where_turns_change(every, shared):
    """Three people say what was heard in film_en, so many words each: no rule is broken."""
    (found,) = heard("film_en")
    words = found.transcript.words()
    spoken = [replace(word, speaker="123"[place // every % 3]) for place, word in enumerate(words)]
    rules = rules_for("netflix", "en", media_duration_ms=found.duration_ms)
    cues = cut(spoken, rules)
    place = 0
    for cue in cues:
        of_lines = []
        for line in cue.lines:
            count = len(line.split())
            (who,) = {word.speaker for word in spoken[place : place + count]}
            assert " ".join(word.text for word in spoken[place : place + count]) == line.removeprefix("-")
            of_lines.append(who)
            place += count
        assert tuple(of_lines) == cue.speakers
        changes = len(set(of_lines)) > 1
        assert [line.startswith("-") for line in cue.lines] == [changes] * len(cue.lines)
    assert place == len(spoken)
    assert sum(len(set(cue.speakers)) > 1 for cue in cues) >= shared
    assert [violation for violation in check(cues, rules, spoken) if not violation.reason] == []

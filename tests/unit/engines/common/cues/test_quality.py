# ruff: noqa: RUF001 - the scripts are the subject.
from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.schema import from_json, to_plain
from protocol.subtitles.quality import BrokenCue, QualityReport
from protocol.subtitles.rules import INFORMING, QUALITY_RULES
from protocol.timeline import Cue, Word
from workers.engines.common.cues.checking.quality import check, is_ok, sentence, summary, to_report
from workers.engines.common.cues.cut import CueRules, cut
from workers.engines.common.cues.phrases import count_graphemes
from workers.engines.common.cues.profiles import PROFILES, rules_for

RULES_OF_FILM = CueRules(media_duration_ms=60_000, min_word_ms=100)
GOOD = (
    Cue(start_ms=1_000, end_ms=3_000, lines=("We shall never surrender.",)),
    Cue(start_ms=3_083, end_ms=6_000, lines=("I never told you", "because you never asked me.")),
)


def cue(start: int, end: int, *lines: str, by: tuple[str, ...] = ()) -> Cue:
    return Cue(start_ms=start, end_ms=end, lines=lines, speakers=by)


def said(text: str, start: int, end: int) -> list[Word]:
    """Words of `text`, evenly from `start` to `end`."""
    texts = text.split()
    step = (end - start) / len(texts)
    return [
        Word(text=text, start_ms=start + round(step * i), end_ms=start + round(step * (i + 1)))
        for i, text in enumerate(texts)
    ]


def test_good_cues_break_no_rule():
    assert check(GOOD, RULES_OF_FILM) == ()
    assert check((), RULES_OF_FILM) == ()
    assert (summary(()), sentence(()), is_ok(())) == ({}, "", True)


ELSEWHERE = {"repeated_text", "language", "speakers"}
"""What one cue by its times and letters does not show, or not alone; they have tests of their own."""
BROKEN = {
    "line_length": (cue(10_000, 15_000, "This one line has more than two and forty letters."), 50, 42),
    "line_count": (cue(10_000, 13_000, "One.", "Two.", "Three."), 3, 2),
    "reading_speed": (cue(10_000, 11_000, "Nobody reads all of that."), 25, 20),
    "word_time": (cue(10_000, 10_960, "a b c d e f g h i j"), 96, 100),
    "min_duration": (cue(10_000, 10_832, "Go!"), 832, 833),
    "max_duration": (cue(10_000, 17_001, "It stays for long."), 7_001, 7_000),
    "gap": (cue(6_082, 8_000, "Too soon after."), 82, 83),
    "overlap": (cue(5_990, 8_000, "Over the one before."), 10, 0),
    "order": (cue(0, 917, "Too late."), 3_083, 0),
    "empty": (cue(10_000, 12_000), 1, 0),
    "edge_spaces": (cue(10_000, 12_000, "One space. "), 1, 0),
    "control_characters": (cue(10_000, 12_000, "A bell\x07 and\u2028 more."), 2, 0),
    "past_end": (cue(58_000, 60_001, "The end."), 60_001, 60_000),
    "below_zero": (cue(-1, 917, "Early."), -1, 0),
    "bad_break": (
        cue(10_000, 13_000, "This is one of very many words that the", "house of all has."),
        60,
        20,
    ),
    "one_line": (cue(10_000, 12_000, "Two lines", "of one."), 17, 42),
    "no_hyphens": (cue(10_000, 12_000, "-Are you here?", "Yes.", by=("1", "2")), 1, 0),
    "needless_hyphen": (cue(10_000, 12_000, "-Are you here?", by=("1",)), 1, 0),
    "open_gap": (cue(6_458, 8_000, "So close."), 458, 458),
}


@pytest.mark.parametrize("rule", [rule for rule in QUALITY_RULES if rule not in ELSEWHERE])
def test_each_rule_that_is_broken_on_purpose_is_found_and_no_other(rule):
    broken, value, limit = BROKEN[rule]
    cues = (broken, *GOOD) if rule == "below_zero" else (*GOOD, broken)
    (found,) = check(cues, RULES_OF_FILM)
    assert (found.rule, found.value, found.limit) == (rule, value, limit)
    assert (found.cue, found.reason) == (1 if rule == "below_zero" else 3, "")
    assert is_ok((found,)) == (rule in INFORMING)
    assert summary((found,)) == {rule: 1}
    assert bool(sentence((found,))) == (rule not in INFORMING)


@pytest.mark.parametrize("by", [("1", "2", "3"), ("1", "2", "1"), ("1", "", "2")])
def test_a_cue_has_two_speakers_at_most(by):
    three = cue(10_000, 12_000, "-Are you here?", "-Yes.", "-No.", by=by)
    assert [(found.rule, found.value) for found in check((*GOOD, three), RULES_OF_FILM)] == [
        ("line_count", 3),
        ("speakers", 3),
    ]


@pytest.mark.parametrize(
    "kept",
    [
        cue(10_000, 12_000, "-Are you here?", "-Yes.", by=("1", "2")),
        cue(10_000, 12_000, "-Are you", "-No, I am not!", by=("1", "2")),
        cue(10_000, 12_000, "-Are you here?", "-Yes.", by=("1", "")),
        cue(10_000, 12_000, "-5 degrees, no more.", by=("1",)),
        cue(10_000, 12_000, "-Are you here?"),
        cue(10_000, 15_000, "This line has exactly forty-two graphemes."),
        cue(10_000, 13_000, "x" * 42, "y" * 17),
        cue(10_000, 10_833, "Go!"),
        cue(10_000, 17_000, "It stays for long."),
        cue(6_083, 8_000, "Soon after."),
        cue(58_000, 60_000, "The end."),
        cue(6_459, 8_000, "Not so close."),
    ],
)
def test_what_is_just_allowed_is_allowed(kept):
    assert check((*GOOD, kept), RULES_OF_FILM) == ()


def test_no_gap_at_all_is_a_gap_too_small_unless_the_profile_wants_none():
    cues = (*GOOD, cue(6_000, 8_000, "At once."))
    assert summary(check(cues, RULES_OF_FILM)) == {"gap": 1}
    assert check((GOOD[1], cue(6_000, 8_000, "At once.")), rules_for("bbc", "en")) == ()


def test_a_long_cue_is_overlapped_by_all_that_come_while_it_is_seen():
    cues = (cue(0, 7_000, "A long one."), cue(1_000, 2_000, "One."), cue(3_000, 4_000, "Two."))
    assert [(violation.rule, violation.cue) for violation in check(cues, CueRules())] == [
        ("overlap", 2),
        ("overlap", 3),
    ]


def test_a_cue_that_ends_before_it_starts_is_too_short():
    (found,) = check((cue(2_000, 1_000, "Back."),), CueRules())
    assert (found.rule, found.value) == ("min_duration", -1_000)


def test_a_line_of_spaces_is_no_text():
    (found,) = check((cue(0, 1_000, "Gold", " \u200f"),), CueRules())
    assert found.rule == "empty"


def test_lines_are_measured_in_graphemes_without_marks_of_direction():
    text = "प्रधानमंत्री नरेंद्र मोदी कल अयोध्या में राम मंदिर का शिलान्यास"
    assert check((cue(0, 4_000, text),), CueRules(language="hi")) == ()
    assert check((cue(0, 4_000, "\u202b" + "ی" * 42 + "\u202c"),), CueRules(language="ur")) == ()


def test_a_line_break_counts_as_the_space_it_stands_for_but_not_in_japanese():
    cues = (cue(0, 1_000, "あ" * 5, "山" * 5),)
    short = {"max_line_graphemes": 5, "max_graphemes_per_second": 10}
    assert check(cues, CueRules(language="ja", **short)) == ()
    (found,) = check(cues, CueRules(language="en", **short))
    assert (found.rule, found.value) == ("reading_speed", 11)


@pytest.mark.parametrize(
    ("language", "text", "length"),
    [
        ("zh", "iPhone 15 Pro Max 发布了", 12),
        ("ja", "ＡＢＣでｶﾀｶﾅ、OK。", 9),
        ("ko", "제이슨 본, 2023년", 8.5),
        ("zh", "“好…”", 4),
        ("yue", "café係", 3),
        ("hi", "नमस्ते OK", 6),
    ],
)
def test_half_width_letters_count_half_in_wide_scripts_and_whole_elsewhere(language, text, length):
    rules = CueRules(language=language, max_line_graphemes=1, max_graphemes_per_second=1, max_cue_ms=99_000)
    found = {violation.rule: violation.value for violation in check((cue(0, 1_000, text),), rules)}
    assert found == {"line_length": length, "reading_speed": length}


def test_cues_of_a_wide_script_are_cut_with_the_same_count():
    rules = rules_for("netflix", "zh")
    words = [Word(text=text, start_ms=300 * at, end_ms=300 * at + 280) for at, text in enumerate(
        ["iPhone ", "15 ", "Pro ", "Max ", "发", "布", "了"])]  # fmt: skip
    assert [c.lines for c in cut(words, rules)] == [("iPhone 15 Pro Max发布了",)]
    long = [Word(text="internationalizationalizations" * 2, start_ms=0, end_ms=900)]
    lines = [line for c in cut(long, rules) for line in c.lines]
    assert [len(line) for line in lines] == [32, 28]


@pytest.mark.parametrize(
    "lines",
    [
        ("- Are you coming with us, or are you not?", "- I am."),
        ("-No.", "-Why?"),
        ("– Nein.", "– Doch."),
        ("Are you coming?", "- I am."),
        (">> One.", ">> Two."),
        ("♪ All night ♪", "♪ all day ♪"),
        ("नमस्ते", "Hello"),
    ],
)
def test_two_speakers_have_a_line_each(lines):
    assert check((cue(0, 4_000, *lines),), CueRules()) == ()


def test_a_dash_inside_a_sentence_opens_no_line():
    upper = "And there was the house of all the kings"
    (found,) = check((cue(0, 4_000, upper, "- the last of them."),), CueRules())
    assert found.rule == "bad_break"


def test_captions_that_roll_grow_or_stand_twice_repeat_themselves():
    rolling = (
        cue(0, 2_000, "We shall never surrender."),
        cue(2_000, 4_000, "We shall never surrender.", "They will have to come"),
        cue(4_000, 6_000, "They will have to come", "and get us."),
    )
    growing = (cue(0, 2_000, "We shall"), cue(2_000, 4_000, "We shall never"), cue(4_000, 6_000, "Yes."))
    twice = (cue(0, 2_000, "Yes."), cue(0, 2_000, "Yes."))
    for cues, places in ((rolling, [2, 3]), (growing, [2]), (twice, [2])):
        found = [violation.cue for violation in check(cues, CueRules()) if violation.rule == "repeated_text"]
        assert found == places
    slower = tuple(cue(c.start_ms + 83 * at, c.end_ms + 83 * at, *c.lines) for at, c in enumerate(rolling))
    assert summary(check(slower, CueRules(max_graphemes_per_second=99)))["repeated_text"] == 2


def test_people_repeat_themselves():
    said_twice = (cue(0, 2_000, "Go!"), cue(2_083, 4_000, "Go!"), cue(4_083, 6_000, "Go!", "- Where?"))
    assert "repeated_text" not in summary(check(said_twice, CueRules()))
    assert check((cue(0, 2_000, "Go!"), cue(2_000, 4_000, "Go!")), rules_for("bbc", "en")) == ()


def test_times_as_exact_as_the_format_allows_are_exact_enough():
    cues = (cue(1_000, 2_830, "This is one."), cue(2_910, 3_740, "And two."))
    assert check(cues, CueRules(), resolution_ms=10) == ()
    assert summary(check(cues, CueRules())) == {"gap": 1, "min_duration": 1}


def test_speech_that_is_itself_too_fast_is_the_reason():
    text = "Extraordinarily complicated circumstances"
    rules = CueRules(media_duration_ms=60_000)
    words = [*said(text, 1_000, 1_900), *said("Then we went home again.", 2_000, 4_000)]
    cues = (cue(1_000, 1_917, text), cue(2_000, 4_000, "Then we went home again."))
    (found,) = check(cues, rules, words)
    assert (found.rule, found.reason) == ("reading_speed", "the speech itself has 45.6 graphemes a second")
    assert is_ok((found,))
    assert sentence((found,)) == "1 cue too fast to read (unavoidable)"
    assert check(cues, rules)[0].reason == ""


def test_a_fast_cue_that_could_have_stayed_has_no_reason():
    text = "Extraordinarily complicated"
    (found,) = check((cue(1_000, 1_900, text),), CueRules(), said(text, 1_000, 1_900))
    assert (found.rule, found.reason) == ("reading_speed", "")
    assert not is_ok((found,))


def test_a_next_word_that_comes_at_once_is_the_reason():
    words = [*said("Go! Now!", 1_000, 1_300), *said("We all run away.", 1_300, 3_000)]
    cues = (cue(1_000, 1_217, "Go!", "Now!"), cue(1_300, 3_000, "We all run away."))
    found = {violation.rule: violation.reason for violation in check(cues, CueRules(), words)}
    assert found["min_duration"] == "the next word starts 300 ms after the cue"


def test_a_short_cue_that_had_time_has_no_reason():
    words = [*said("Go!", 1_000, 1_300), *said("We all run.", 5_000, 6_000)]
    (found,) = check((cue(1_000, 1_300, "Go!"), cue(5_000, 6_000, "We all run.")), CueRules(), words)
    assert (found.rule, found.reason) == ("min_duration", "")


def test_a_word_longer_than_the_line_is_the_reason():
    word = "x" * 50
    (found,) = check((cue(0, 4_000, word),), CueRules(), said(word, 0, 4_000))
    assert (found.rule, found.reason) == ("line_length", "a single word is longer than the line")
    text = "more than two and forty letters are in this"
    (found,) = check((cue(0, 4_000, text),), CueRules(), said(text, 0, 4_000))
    assert (found.rule, found.reason) == ("line_length", "")


def test_a_film_too_short_for_its_cues_is_the_reason():
    words = [Word(text="word" * 20, start_ms=0, end_ms=100) for _ in range(10)]
    rules = CueRules(media_duration_ms=1_000)
    violations = check(cut(words, rules), rules, words)
    reasons = {violation.reason for violation in violations if violation.rule == "min_duration"}
    assert reasons == {"the film is too short for its 10 cues"}


def test_cues_whose_text_is_not_the_words_are_explained_by_time():
    text = "Extraordinarily complicated circumstances"
    words = [*said(text, 1_000, 1_900), *said("Then we went home.", 2_000, 4_000)]
    cues = (cue(1_000, 1_917, f"- {text}"), cue(2_000, 4_000, "- Then we went home."))
    (found,) = check(cues, CueRules(max_line_graphemes=43), words)
    assert found.reason == "the speech itself has 47.8 graphemes a second"


def test_the_report_names_every_rule_and_the_cues_that_break_it():
    cues = (*GOOD, cue(6_000, 6_500, "Now  we go. "))
    violations = check(cues, RULES_OF_FILM)
    report = to_report(cues, RULES_OF_FILM, violations, profile="netflix")
    written = json.dumps(to_plain(report))
    assert from_json(QualityReport, written) == report
    assert '"limit": 83,' in written
    assert [rule.rule for rule in report.rules] == list(QUALITY_RULES)
    assert (report.version, report.profile) == (1, "netflix")
    assert (report.ok, report.cue_count, report.language) == (False, 3, "en")
    broken = {rule.rule: rule for rule in report.rules if rule.count}
    assert set(broken) == {"reading_speed", "min_duration", "gap", "edge_spaces"}
    assert broken["gap"].limit == 83
    assert broken["min_duration"].cues == (
        BrokenCue(cue=3, start_ms=6_000, end_ms=6_500, lines=("Now  we go. ",), value=500, limit=833),
    )
    assert report.sentence == sentence(violations)


def test_a_report_of_kept_rules_is_ok():
    report = to_report(GOOD, RULES_OF_FILM, check(GOOD, RULES_OF_FILM))
    assert (report.ok, report.sentence, sum(rule.count for rule in report.rules)) == (True, "", 0)


SCRIPTS = {
    "en": "he said that nothing, however small, is lost. Why would it be? Because I counted on Mr. Dashwood!",
    "hi": "वित्त मंत्रालय ने कहा है कि महामारी पर प्रतिकूल प्रभाव को कम करने में, सरकार को मदद मिलेगी।",
    "ta": "தமிழ் மொழி உலகின் பழமையான மொழிகளில் ஒன்று. அது எங்கே பேசப்படுகிறது?",
    "ur": "حکومت نے کہا ہے کہ یہ کام کل مکمل ہو جائے گا۔ کیا آپ آئیں گے؟",
    "ja": "私は昨日、東京に行きました。とても楽しかったです！",
}


@st.composite
def speech(draw):
    """Words at any speed, in any profile, in a film that may end with the last of them."""
    language = draw(st.sampled_from(sorted(SCRIPTS)))
    vocabulary = list(SCRIPTS[language]) if language == "ja" else SCRIPTS[language].split()
    now, words = draw(st.integers(0, 5_000)), []
    for _ in range(draw(st.integers(1, 60))):
        text = draw(st.sampled_from(vocabulary))
        length = draw(st.integers(0, 120)) * count_graphemes(text)
        words.append(Word(text=text, start_ms=now, end_ms=now + length))
        now += length + draw(st.sampled_from([0, 0, 0, 40, 100, 300, 700, 1_500, 4_000]))
    film_ms = draw(st.sampled_from([0, now + 2_000, max(1, now), max(1, now // 2)]))
    rules = rules_for(draw(st.sampled_from(sorted(PROFILES))), language, media_duration_ms=film_ms)
    return words, rules


@st.composite
def nonsense(draw):
    time_ms = st.integers(-2_000, 60_000)
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
    text = text | st.sampled_from(["a", "Mr.", "end.", "है।", "。", "x" * 200])
    words = draw(st.lists(st.builds(Word, text=text, start_ms=time_ms, end_ms=time_ms), max_size=40))
    language = draw(st.sampled_from([*SCRIPTS, "und", "de", "th"]))
    film_ms = draw(st.sampled_from([0, 1, 900, 20_000, 100_000]))
    rules = rules_for(draw(st.sampled_from(sorted(PROFILES))), language, media_duration_ms=film_ms)
    return words, rules


@settings(deadline=None, max_examples=200)
@given(speech() | nonsense())
def test_what_is_cut_from_words_breaks_no_rule_without_a_reason(case):
    words, rules = case
    cues = cut(words, rules)
    violations = check(cues, rules, words)
    # A character without a shape (a mark of direction alone) is text to the cutter, and nothing to a reader.
    unexplained = [
        violation
        for violation in violations
        if not violation.reason and violation.rule not in (*INFORMING, "empty")
    ]
    assert unexplained == []

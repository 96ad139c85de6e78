# ruff: noqa: RUF001 - the scripts are the subject.
from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.timeline import Cue, Word
from tests.growth import growth
from tests.word_streams import hours_of
from tests.word_streams import speech as talk
from workers.engines.common.cues.cut import CueRules, cut, sentences
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.cues.widths import width

SCRIPTS = {
    "en": "he said that nothing, however small, is lost. Why would it be? Because I counted on Mr. Dashwood!",
    "hi": "वित्त मंत्रालय ने कहा है कि महामारी पर प्रतिकूल प्रभाव को कम करने में, सरकार को मदद मिलेगी।",
    "ta": "தமிழ் மொழி உலகின் பழமையான மொழிகளில் ஒன்று. அது எங்கே பேசப்படுகிறது?",
    "te": "తెలుగు భాష దక్షిణ భారతదేశంలో మాట్లాడతారు. నేను రేపు వస్తాను!",
    "ur": "حکومت نے کہا ہے کہ یہ کام کل مکمل ہو جائے گا۔ کیا آپ آئیں گے؟",
    "ja": "私は昨日、東京に行きました。とても楽しかったです！",
}


def spoken(text: str, language: str = "en", *, start: int = 1_000, letter: int = 70, gap: int = 60):
    """Words of `text` as a speaker of 70 ms a grapheme says them; `~1200~` is a pause of 1.2 s."""
    words, now = [], start
    for word in list(text) if language == "ja" else text.split():
        if pause := regex.fullmatch(r"~(\d+)~", word):
            now += int(pause[1]) - gap
            continue
        length = letter * len(regex.findall(r"\X", word)) * (2 if language == "ja" else 1)
        words.append(Word(text=word, start_ms=now, end_ms=now + length))
        now += length + (0 if language == "ja" else gap)
    return words


def texts(cues: tuple[Cue, ...]) -> list[str]:
    return [" ".join(cue.lines) for cue in cues]


def bare(text: str) -> str:
    return regex.sub(r"[\s\p{Cc}\p{Cf}\u2028\u2029]", "", text)


def graphemes(text: str) -> int:
    return len(regex.findall(r"\X", text))


def check_always(cues: tuple[Cue, ...], words: list[Word], rules: CueRules) -> None:
    assert bare("".join(line for cue in cues for line in cue.lines)) == bare("".join(w.text for w in words))
    for cue in cues:
        assert 1 <= len(cue.lines) <= rules.max_lines
        for line in cue.lines:
            assert line
            assert line == line.strip()
            assert width(line, rules.language) <= rules.max_line_graphemes
        assert 0 <= cue.start_ms <= cue.end_ms
        if rules.media_duration_ms:
            assert cue.end_ms <= rules.media_duration_ms
    for one, two in itertools.pairwise(cues):
        assert one.end_ms <= two.start_ms


@st.composite
def speech(draw):
    language = draw(st.sampled_from(sorted(SCRIPTS)))
    vocabulary = list(SCRIPTS[language]) if language == "ja" else SCRIPTS[language].split()
    now, words = draw(st.integers(0, 5_000)), []
    for _ in range(draw(st.integers(1, 60))):
        text = draw(st.sampled_from(vocabulary))
        length = draw(st.integers(60, 120)) * graphemes(text)
        words.append(Word(text=text, start_ms=now, end_ms=now + length))
        now += length + draw(st.sampled_from([0, 0, 0, 40, 100, 300, 700, 1_500, 4_000]))
    return language, words, now


@st.composite
def nonsense(draw):
    time_ms = st.integers(-2_000, 60_000)
    text = st.text(max_size=60) | st.sampled_from(["a", "Mr.", "end.", "है।", "。", "x" * 200])
    words = draw(st.lists(st.builds(Word, text=text, start_ms=time_ms, end_ms=time_ms), max_size=40))
    rules = CueRules(
        language=draw(st.sampled_from([*SCRIPTS, "und", "de", "th"])),
        media_duration_ms=draw(st.sampled_from([0, 1, 900, 20_000, 100_000])),
        max_lines=draw(st.integers(1, 3)),
        max_line_graphemes=draw(st.sampled_from([16, 32, 42])),
    )
    return words, rules


@settings(deadline=None, max_examples=150)
@given(speech())
def test_the_hard_rules_hold_for_any_speech_a_person_can_speak(case):
    language, words, end = case
    rules = CueRules(language=language, media_duration_ms=end + 2_000)
    cues = cut(words, rules)
    check_always(cues, words, rules)
    for cue in cues:
        assert rules.min_cue_ms <= cue.end_ms - cue.start_ms <= rules.max_cue_ms
    for one, two in itertools.pairwise(cues):
        assert two.start_ms - one.end_ms >= rules.min_gap_ms


@settings(deadline=None, max_examples=150)
@given(speech())
def test_a_cue_comes_with_its_first_word_and_goes_soon_after_its_last(case):
    language, words, end = case
    rules = CueRules(language=language, media_duration_ms=end + 2_000)
    cues, place, before = cut(words, rules), 0, None
    for cue, following in zip(cues, [*cues[1:], None], strict=True):
        count = len("".join(cue.lines)) if language == "ja" else len(" ".join(cue.lines).split())
        first, last = words[place], words[place + count - 1]
        # A cue waits for its predecessor only where that could not be seen otherwise.
        waited = before is not None and cue.start_ms == before + rules.min_cue_ms + rules.min_gap_ms
        assert cue.start_ms == first.start_ms or (waited and cue.start_ms > first.start_ms)
        soon = max(last.end_ms + rules.linger_ms, cue.start_ms + rules.min_cue_ms)
        closed = following is not None and following.start_ms - cue.end_ms == rules.min_gap_ms
        assert cue.end_ms <= soon + (rules.close_gap_ms - rules.min_gap_ms if closed else 0)
        place, before = place + count, cue.start_ms


@settings(deadline=None, max_examples=300)
@given(nonsense())
def test_no_word_is_lost_doubled_or_moved_whatever_the_words_and_times(case):
    words, rules = case
    clean = [Word(text=regex.sub(r"\p{Cs}", "", w.text), start_ms=w.start_ms, end_ms=w.end_ms) for w in words]
    check_always(cut(clean, rules), clean, rules)


@pytest.mark.parametrize("language", sorted(SCRIPTS))
def test_every_script_is_cut_at_its_sentence_ends(language):
    found = texts(cut(spoken(SCRIPTS[language], language), CueRules(language=language)))
    ends = tuple(".?!।۔؟。！")
    assert sum(cue_text.endswith(ends) for cue_text in found) == len(
        sentences(spoken(SCRIPTS[language], language), CueRules(language=language))
    )


def test_no_words_are_no_cues():
    assert cut([], CueRules()) == ()
    assert cut([Word(text=" \n", start_ms=0, end_ms=10)], CueRules()) == ()


def test_a_sentence_starts_its_own_cue():
    words = spoken("We shall never surrender to them. They will have to come and get us.")
    assert texts(cut(words, CueRules())) == [
        "We shall never surrender to them.",
        "They will have to come and get us.",
    ]


@pytest.mark.parametrize(
    "text", ["I have seen Mr. Smith at the door", "It costs 3.14 dollars in all", "J. R. Ewing is here"]
)
def test_abbreviations_decimals_and_initials_do_not_end_a_sentence(text):
    assert texts(cut(spoken(text), CueRules())) == [text]


def test_sentences_too_short_to_be_seen_alone_share_a_cue():
    words = spoken("Yes. No. We are coming over to you now.", letter=40, gap=10)
    cues = cut(words, CueRules())
    assert all(cue.end_ms - cue.start_ms >= 833 for cue in cues)
    assert texts(cues)[0].startswith("Yes. No.")


def test_a_pause_separates_cues_even_inside_a_sentence():
    words = spoken("I thought that you would come ~1200~ and then you did not come")
    assert texts(cut(words, CueRules())) == ["I thought that you would come", "and then you did not come"]


def test_a_pause_inside_a_phrase_does_not_part_it_unless_it_is_long():
    text = "ask not what ~{}~ your country can do for you"
    assert texts(cut(spoken(text.format(1_000)), CueRules())) == ["ask not what your country can do for you"]
    assert texts(cut(spoken(text.format(1_600)), CueRules())) == [
        "ask not what",
        "your country can do for you",
    ]


def test_the_cuts_are_chosen_for_their_lines_too():
    words = spoken(
        "We have built the house that we promised to our children and to the old people of the town."
    )
    for cue in cut(words, CueRules()):
        for line in cue.lines:
            assert line.split()[-1] not in {"the", "that", "and", "to", "of", "old", "our", "we", "have"}


def test_a_gap_that_is_closed_is_closed_wholly_or_not_at_all():
    words = [
        Word(text="A.", start_ms=0, end_ms=6_700),
        Word(text="Then this was said here.", start_ms=7_800, end_ms=9_500),
    ]
    one, two = cut(words, rules_for("bbc", "en"))
    assert (one.end_ms, two.start_ms) == (6_700, 7_800)
    one, two = cut([words[0], replace(words[1], start_ms=7_000)], rules_for("bbc", "en"))
    assert (one.end_ms, two.start_ms) == (7_000, 7_000)


def test_a_long_sentence_is_cut_at_its_comma():
    words = spoken(
        "When the rain had stopped falling on the roofs of the town, everybody came out to the wet streets."
    )
    assert texts(cut(words, CueRules()))[0].endswith("of the town,")


def test_an_article_stays_with_its_noun():
    words = spoken(
        "we have walked all the way along the river bank until we came to the house of an old friend"
    )
    for cue in cut(words, CueRules()):
        for line in cue.lines:
            assert line.split()[-1] not in {"the", "a", "an", "of", "in"}


def test_a_hindi_postposition_stays_with_its_noun():
    words = spoken(SCRIPTS["hi"], "hi")
    for cue in cut(words, CueRules(language="hi")):
        for line in cue.lines:
            assert line.split()[0] not in {"ने", "को", "में", "पर", "है"}


def test_two_lines_are_used_only_where_one_does_not_do_and_the_lower_is_the_longer():
    (short,) = cut(spoken("This fits on a single line."), CueRules())
    assert len(short.lines) == 1
    (long,) = cut(spoken("I never told you because you never asked me about it."), CueRules())
    assert long.lines == ("I never told you", "because you never asked me about it.")


def test_a_few_words_do_not_stand_alone_above_a_full_line():
    (cue,) = cut(spoken("The price rose to 43,000 dollars on March 3rd, 2024."), CueRules())
    assert cue.lines == ("The price rose to 43,000 dollars", "on March 3rd, 2024.")


def test_a_word_that_means_even_stays_with_its_verb():
    (cue,) = cut(spoken("Naquela noite ele poderia até ter dito a verdade.", "pt"), CueRules(language="pt"))
    assert not cue.lines[1].startswith(("até", "ter"))


def test_a_gap_of_a_few_frames_is_closed_to_two():
    words = spoken("This is the first sentence here. ~300~ This is the second sentence here.")
    one, two = cut(words, CueRules())
    assert two.start_ms - one.end_ms == 83


def test_a_short_word_stays_for_the_least_duration():
    (cue,) = cut([Word(text="Go!", start_ms=2_000, end_ms=2_100)], CueRules())
    assert (cue.start_ms, cue.end_ms) == (2_000, 2_833)


def test_a_fast_cue_stays_to_be_read_but_not_into_the_next():
    words = spoken("Extraordinarily complicated circumstances notwithstanding.", letter=25, gap=5)
    (alone,) = cut(words, CueRules())
    assert alone.end_ms == words[-1].end_ms + 500
    follower = spoken("Then we went home again.", start=words[-1].end_ms + 200)
    first, second = cut([*words, *follower], CueRules())
    assert (first.end_ms, second.start_ms) == (follower[0].start_ms - 83, follower[0].start_ms)


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        (
            "The National Hurricane Center (NHC) says that at this point Jerry poses no threat to land.",
            "to land.",
        ),
        (
            "The final score was a one-point victory, 21 to 20, ending the All Blacks' 15 game winning "
            "streak.",
            "winning streak.",
        ),
    ],
)
def test_two_words_with_time_to_spare_take_others_over_from_a_cue_that_is_too_fast(text, alone):
    cues = cut(talk([text], "en", grapheme_ms=38), CueRules())
    assert texts(cues)[-1].endswith(f" {alone}")
    assert graphemes(texts(cues)[-1]) > 2 * graphemes(alone)


def test_a_sentence_is_parted_before_its_relative_clause_and_not_inside():
    words = spoken(
        "He began a confused complaint against the wizard who had vanished behind the curtain on the left."
    )
    assert texts(cut(words, CueRules()))[-1] == "who had vanished behind the curtain on the left."
    (cue,) = cut(spoken("I know the people who live in there."), CueRules())
    assert cue.lines == ("I know the people who live in there.",)


def test_a_word_longer_than_a_cue_may_be_is_clamped():
    (cue,) = cut([Word(text="Nooooo", start_ms=1_000, end_ms=20_000)], CueRules())
    assert (cue.start_ms, cue.end_ms) == (1_000, 8_000)


def test_nothing_goes_past_the_end_of_the_film():
    words = spoken("And that was the end.", start=9_500)
    (cue,) = cut(words, CueRules(media_duration_ms=10_000))
    assert cue.end_ms == 10_000
    assert cue.end_ms - cue.start_ms == 833


def test_words_before_the_start_of_the_film_begin_with_it():
    (cue,) = cut([Word(text="Early", start_ms=-400, end_ms=900)], CueRules())
    assert cue.start_ms == 0


def test_one_wrong_time_does_not_move_the_words_after_it():
    words = spoken("One two three four five. ~1500~ Six seven eight nine ten.")
    words[2] = Word(text="three", start_ms=500_000, end_ms=500_100)
    cues = cut(words, CueRules())
    assert [cue.start_ms for cue in cues] == [words[0].start_ms, words[5].start_ms]


def test_words_that_share_one_time_are_shown_one_cue_after_the_other():
    words = [Word(text=f"word{place}", start_ms=5_000, end_ms=5_000) for place in range(60)]
    rules = CueRules(media_duration_ms=60_000)
    cues = cut(words, rules)
    check_always(cues, words, rules)
    assert all(cue.end_ms - cue.start_ms >= 833 for cue in cues)


def test_japanese_is_joined_without_spaces():
    cues = cut(spoken(SCRIPTS["ja"], "ja"), CueRules(language="ja", max_line_graphemes=16))
    assert texts(cues) == ["私は昨日、東京に行きました。", "とても楽しかったです！"]


def test_latin_words_keep_their_space_in_a_language_without_spaces():
    words = (
        Word(text="と", start_ms=0, end_ms=200),
        Word(text="YouTube", start_ms=200, end_ms=700),
        Word(text="Music", start_ms=700, end_ms=1_100),
        Word(text="で。", start_ms=1_100, end_ms=1_400),
    )
    assert texts(cut(words, CueRules(language="ja", max_line_graphemes=16))) == ["とYouTube Musicで。"]


def test_a_word_longer_than_a_line_is_broken_between_graphemes():
    text = "क्षि" * 50
    words = [Word(text=text, start_ms=0, end_ms=9_000)]
    cues = cut(words, CueRules(language="hi"))
    assert "".join(line for cue in cues for line in cue.lines) == text
    assert all(line.startswith("क्षि") and graphemes(line) <= 42 for cue in cues for line in cue.lines)


def test_lines_count_graphemes_and_not_code_points():
    text = "प्रधानमंत्री नरेंद्र मोदी कल अयोध्या में राम मंदिर का शिलान्यास"
    assert len(text) > 42 >= graphemes(text)
    (cue,) = cut(spoken(text, "hi"), CueRules(language="hi"))
    assert cue.lines == (text,)


def test_control_characters_and_line_ends_do_not_reach_the_screen():
    (cue,) = cut([Word(text="a\nb\x07c", start_ms=0, end_ms=1_500)], CueRules())
    assert cue.lines == ("a b c",)


def test_a_word_of_which_nothing_can_be_seen_makes_no_cue():
    assert cut([Word(text="\u200f", start_ms=0, end_ms=900)], CueRules()) == ()
    (cue,) = cut([Word(text="क्\u200dष", start_ms=0, end_ms=900)], CueRules(language="hi"))
    assert cue.lines == ("क्\u200dष",)


def test_sentences_end_at_long_pauses_too():
    words = spoken("no full stops here ~3000~ and none there")
    assert sentences(words, CueRules()) == ("no full stops here", "and none there")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "hi", "ja"])
def test_the_time_to_cut_grows_with_the_length_of_the_film_alone(language, figure):
    words = [word for line in hours_of(language, 2, 20_000) for word in line]
    rules = rules_for("netflix", language, media_duration_ms=7_210_000)
    cues = cut(words, rules)
    times = growth(lambda count: cut(words[:count], rules), 2_000, 20_000)
    figure(
        f"two hours of {language}: {len(words)} words in {len(cues)} cues; "
        f"10 times the words take {times:.1f} times as long (limit 25)"
    )
    assert times < 25
    check_always(cues, words, rules)

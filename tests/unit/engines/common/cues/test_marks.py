# ruff: noqa: RUF001 - the marks of many scripts are the subject.
"""Marks that stand between two words: dashes of speakers, quotes, notes, signs of money."""

from __future__ import annotations

import pytest
import regex

from protocol.timeline import Cue, Word
from workers.engines.common.cues.checking.quality import check
from workers.engines.common.cues.checking.reasons import speech_of_cues
from workers.engines.common.cues.cut import CueRules, cut, sentences, timed_tokens


def spoken(text: str, language: str = "en", letter: int = 60) -> list[Word]:
    """Return the words of a text; a mark between two spaces takes no time, `~2500~` is a pause."""
    words, now = [], 1_000
    for text_of in list(text) if language == "zh" else text.split():
        if pause := regex.fullmatch(r"~(\d+)~", text_of):
            now += int(pause[1])
            continue
        length = letter * len(regex.findall(r"\w", text_of))
        words.append(Word(text=text_of, start_ms=now, end_ms=now + length))
        now += length + (50 if length else 0)
    return words


def lines_of(text: str, language: str = "en", letter: int = 60, **rules: int) -> list[tuple[str, ...]]:
    limits = CueRules(language=language, **rules)
    words = spoken(text, language, letter)
    cues = cut(words, limits)
    assert not [found for found in check(cues, limits, words) if found.rule in ("bad_break", "one_line")]
    return [cue.lines for cue in cues]


ASKED = "- Are you coming with us tonight? - I don't know. - You never know anything."
OPENS = regex.compile(r"[-–—―]|>>")


@pytest.mark.parametrize("letter", [20, 30, 60, 90])
@pytest.mark.parametrize(
    ("text", "language", "turns"),
    [
        (ASKED, "en", 3),
        ("-Are you coming? -No. -Why not? -Because. -Oh. -Fine.", "en", 6),
        ("– Kommst du heute? – Nein. – Warum nicht?", "de", 3),
        ("— Tu viens ? — Non ! — Tant pis…", "fr", 3),
        ("« Tu viens ? » — Non. — « Tant pis »", "fr", 3),
        ("—¿Vienes esta noche? —No lo sé. —¡Nunca sabes nada!", "es", 3),
        ("– Você vem hoje? – Não sei. – Nunca sabe.", "pt", 3),
        ("— Ты идёшь? — Нет. — Почему?", "ru", 3),
        ("- क्या तुम आ रहे हो? - मुझे नहीं पता। - क्यों नहीं?", "hi", 3),
        ("- کیا آپ آئیں گے؟ - نہیں۔ - کیوں؟", "ur", 3),
        ("-你今晚来吗？-我不知道。-你从来不知道。", "zh", 3),
        ("- are you coming? - i don't know. - you never do.", "en", 3),
        ("- How old are you? - 5. - And you?", "en", 3),
        (">> Who is it? >> Me. >> Come in.", "en", 3),
        ("[door opens] - Who is it? (laughs quietly) - Me. ♪ La la ♪ - Stop!", "en", 3),
        ("- I thought-- - You thought wrong. - Did I?", "en", 3),
    ],
)
def test_a_dash_opens_its_speakers_line(text, language, turns, letter):
    found = [line for cue in lines_of(text, language, letter) for line in cue]
    opened = [line for line in found if OPENS.match(line)]
    assert len(opened) >= turns - (text[0] == "«")
    assert not [line for line in found if OPENS.search(line, 2) and not line.endswith("--")]


def test_two_speakers_share_a_cue_only_where_one_would_be_too_short_to_be_seen():
    assert lines_of(ASKED, letter=30) == [
        ("- Are you coming with us tonight?", "- I don't know."),
        ("- You never know anything.",),
    ]
    assert lines_of(ASKED, letter=90) == [
        ("- Are you coming with us tonight?",),
        ("- I don't know.",),
        ("- You never know anything.",),
    ]
    assert lines_of("Where are you? - Here. ~3000~ Oh, good.", letter=20)[0] == ("Where are you?", "- Here.")


def test_a_profile_of_one_line_gives_each_speaker_a_cue():
    assert all(len(cue) == 1 and " - " not in cue[0] for cue in lines_of(ASKED, letter=20, max_lines=1))


def test_a_speaker_of_two_lines_has_a_cue_of_his_own():
    text = "- No. - I would never have come here if you had not asked me to do it. - Oh. ~3000~ The end."
    assert lines_of(text, letter=50)[:3] == [
        ("- No.",),
        ("- I would never have come here", "if you had not asked me to do it."),
        ("- Oh.",),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "It was 1990 - 1995 that we lived there.",
        "It is cold. - 5 degrees outside.",
        "A well-known man - my uncle - said so.",
        "One thing he wanted — a real home.",
        "“What?” — he said and left.",
        "I thought-- no, I never did.",
        "So said Smith (2019) - Jones did not.",
    ],
)
def test_a_dash_that_opens_no_turn_stays_in_its_line(text):
    assert " ".join(line for cue in lines_of(text) for line in cue) == text
    assert not [
        cue for cue in lines_of(text) for line in cue if line.startswith(("-", "—")) and line[2:3] != "5"
    ]
    assert not [line for cue in lines_of(text) for line in cue if line.endswith(("1990", "1990 -", " -"))]


@pytest.mark.parametrize(
    ("text", "language", "bound"),
    [
        ("Il cria « Vive la France » et partit", "fr", ["« Vive", "France »"]),
        ("Er rief » Es lebe « und ging", "de", ["» Es", "lebe «"]),
        ("Er rief „ Es lebe “ und ging", "de", ["„ Es", "lebe “"]),
        ("Han ropade ” Leve ” och gick", "sv", ["” Leve ”"]),
        ('He said " never again " and left', "en", ['" never', 'again "']),
        ("¿ Vienes ?", "es", ["¿ Vienes ?"]),
        ("It costs $ 500 or 20 € a day", "en", ["$ 500", "20 €"]),
        ("It is number № 5 of ( nearly ) ten", "en", ["№ 5", "( nearly )"]),
        ("Quoi ? Non !", "fr", ["Quoi ?", "Non !"]),
        ("From 1990 – 1995 it was - 5 degrees", "en", ["1990 – 1995", "- 5"]),
        ("♪ All night ♪ ♪ all day ♪", "en", ["♪ All", "night ♪", "♪ all", "day ♪"]),
        ("♪♪ All night ♪♪ he said ♪ all day", "en", ["♪♪ All", "night ♪♪", "♪ all"]),
        ("♪ ♪ We dance", "en", ["♪ ♪ We"]),
        ("♪ ~3000~ We dance ~3000~ ♪", "en", []),
    ],
)
def test_a_lone_mark_is_one_with_the_word_it_opens_or_closes(text, language, bound):
    tokens = timed_tokens(spoken(text, language), CueRules(language=language))
    assert [token.text for token in tokens if " " in token.text] == bound


def test_the_next_song_keeps_its_note():
    lyric = "♪ We're gonna dance all night ♪ ♪ We're gonna dance all day and never ever stop ♪ ♪ Sing ♪"
    found = lines_of(lyric)
    assert [" ".join(cue) for cue in found] == [
        "♪ We're gonna dance all night ♪",
        "♪ We're gonna dance all day and never ever stop ♪",
        "♪ Sing ♪",
    ]


@pytest.mark.parametrize(
    ("language", "open_mark", "close_mark"), [("de", "»", "«"), ("sv", "”", "”"), ("fr", "«", "»")]
)
def test_a_quote_stays_in_the_line_of_the_word_that_it_opens_or_closes(language, open_mark, close_mark):
    for glue in ("", " "):
        for count in range(1, 12):
            words = ["mot"] * count + [f"{open_mark}{glue}tapage", f"nuit{glue}{close_mark}"] + ["encore"] * 9
            lines = [line for cue in lines_of(" ".join(words), language) for line in cue]
            assert [line for line in lines if words[count] in line]
            assert [line for line in lines if words[count + 1] in line]


def test_a_mark_brings_no_cue_before_its_first_word():
    words = spoken("We went home. ~2500~ - Who is there? ~2500~ « Moi »")
    moved = [
        Word(text=word.text, start_ms=word.start_ms - 900 * (not word.text[0].isalnum()), end_ms=word.end_ms)
        for word in words
    ]
    starts = [cue.start_ms for cue in cut(moved, CueRules())]
    assert starts == [word.start_ms for word in words if word.text in ("We", "Who", "Moi")]


def test_a_cue_with_a_lone_mark_is_found_again_by_its_text():
    words = spoken(ASKED)
    cues = cut(words, CueRules())
    spoken_of = speech_of_cues(cues, CueRules(), words)
    assert [said and said.start_ms for said in spoken_of] == [cue.start_ms for cue in cues]


def test_a_dash_is_no_end_of_a_sentence():
    assert sentences(spoken("- Are you coming? - No."), CueRules()) == ("- Are you coming?", "- No.")


def test_a_line_of_a_file_that_ends_with_a_speakers_dash_is_badly_broken():
    wrong = Cue(
        start_ms=0, end_ms=4_000, lines=("- Are you coming with us tonight? -", "I don't know at all.")
    )
    assert [found.rule for found in check((wrong,), CueRules())] == ["bad_break"]

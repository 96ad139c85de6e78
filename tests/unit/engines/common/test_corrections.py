"""A person's corrections, applied to cues that were made anew."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import InputError
from protocol.schema import to_plain
from protocol.subtitles.corrections import CorrectedCue, Correction, Corrections, read_corrections
from protocol.timeline import Cue, Segment, Speaker, Transcript, Word
from workers.engines.common.corrections import correct_cues, correct_words, told
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.tracks import Track, cut_track

CUES = (
    Cue(start_ms=1_000, end_ms=2_500, lines=("Hello there,", "Gabbar.")),
    Cue(start_ms=3_000, end_ms=4_500, lines=("How many men were there?",)),
    Cue(start_ms=5_000, end_ms=6_000, lines=("Two.",)),
    Cue(start_ms=20_000, end_ms=21_000, lines=("Two.",)),
)


def cue(start_ms: int, end_ms: int, text: str) -> CorrectedCue:
    return CorrectedCue(start_ms=start_ms, end_ms=end_ms, text=text)


def change(old: list[CorrectedCue], new: list[CorrectedCue]) -> Correction:
    return Correction(language="en", old=tuple(old), new=tuple(new))


def shown(cues: tuple[Cue, ...]) -> list[tuple[int, int, str]]:
    return [(shown_cue.start_ms, shown_cue.end_ms, "\n".join(shown_cue.lines)) for shown_cue in cues]


def test_a_text_is_changed_and_the_cue_keeps_the_times_that_it_has_now() -> None:
    edit = change([cue(900, 2_400, "Hello there, Gabbar.")], [cue(900, 2_400, "Hello,\nGabbar Singh.")])
    found = correct_cues(CUES, [edit])
    assert shown(found.cues)[0] == (1_000, 2_500, "Hello,\nGabbar Singh.")
    assert found.cues[1:] == CUES[1:]
    assert found.unfit == ()


def test_a_cue_is_shifted_split_joined_removed_and_added() -> None:
    shifted = change([cue(1_000, 2_500, "Hello there, Gabbar.")], [cue(1_200, 2_700, "Hello there, Gabbar.")])
    split = change(
        [cue(3_000, 4_500, "How many men were there?")],
        [cue(3_000, 3_700, "How many men"), cue(3_800, 4_500, "were there?")],
    )
    removed = change([cue(20_000, 21_000, "Two.")], [])
    added = change([], [cue(10_000, 11_000, "Silence.")])
    found = correct_cues(CUES, [shifted, split, removed, added])
    assert shown(found.cues) == [
        (1_200, 2_700, "Hello there, Gabbar."),
        (3_000, 3_700, "How many men"),
        (3_800, 4_500, "were there?"),
        (5_000, 6_000, "Two."),
        (10_000, 11_000, "Silence."),
    ]
    joined = change(
        [cue(3_000, 4_500, "How many men were there?"), cue(5_000, 6_000, "Two.")],
        [cue(3_000, 6_000, "- How many men were there?\n- Two.")],
    )
    assert len(correct_cues(CUES, [joined]).cues) == 3


def test_corrections_of_corrections_come_in_their_order() -> None:
    first = change([cue(5_000, 6_000, "Two.")], [cue(5_000, 6_000, "Only two.")])
    second = change([cue(5_000, 6_000, "Only two.")], [cue(5_000, 6_000, "Only two men.")])
    assert shown(correct_cues(CUES, [first, second]).cues)[2][2] == "Only two men."


def test_of_the_same_line_twice_the_nearer_one_is_meant() -> None:
    edit = change([cue(19_000, 20_000, "Two.")], [cue(19_000, 20_000, "Two, sir.")])
    assert [lines for _, _, lines in shown(correct_cues(CUES, [edit]).cues)][2:] == ["Two.", "Two, sir."]


@pytest.mark.parametrize(
    "edit",
    [
        change([cue(1_000, 2_500, "Hello here, Gabbar.")], [cue(1_000, 2_500, "x")]),
        change([cue(9_500, 10_000, "How many men were there?")], [cue(9_500, 10_000, "x")]),
        change([], [cue(3_500, 4_000, "Here is no room.")]),
        change([cue(5_000, 6_000, "Two."), cue(7_000, 8_000, "Three.")], [cue(5_000, 8_000, "x")]),
    ],
)
def test_what_does_not_fit_is_listed_and_never_forced(edit: Correction) -> None:
    found = correct_cues(CUES, [edit])
    assert found.cues == CUES
    assert found.unfit == (edit,)
    assert told(found.unfit, 4).startswith("1 of 4 corrections fit no more, the first at ")


def test_where_every_line_was_changed_only_lines_that_are_near_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cues = tuple(
        Cue(start_ms=place * 2_000, end_ms=place * 2_000 + 1_500, lines=(f"Line {place}",))
        for place in range(500)
    )
    edits = [
        change(
            [cue(one.start_ms, one.end_ms, one.lines[0])], [cue(one.start_ms, one.end_ms, one.lines[0] + ".")]
        )
        for one in cues
    ]
    compared: list[str] = []

    def counted(form: Any, text: str) -> str:
        compared.append(text)
        return normalize(form, text)

    normalize = unicodedata.normalize
    monkeypatch.setattr(unicodedata, "normalize", counted)
    found = correct_cues(cues, edits)
    assert len(compared) < 10 * len(cues)
    assert [one.lines[0] for one in found.cues] == [f"Line {place}." for place in range(500)]


def test_a_shift_does_not_run_into_a_cue_that_was_not_there_before() -> None:
    edit = change(
        [cue(3_000, 4_500, "How many men were there?")], [cue(3_000, 5_400, "How many men were there?")]
    )
    assert shown(correct_cues(CUES, [edit]).cues)[1:3] == [
        (3_000, 5_000, "How many men were there?"),
        (5_000, 6_000, "Two."),
    ]


def spoken(text: str, start_ms: int = 1_000) -> Transcript:
    words = tuple(
        Word(text=word, start_ms=start_ms + 400 * place, end_ms=start_ms + 400 * place + 380)
        for place, word in enumerate(text.split())
    )
    segment = Segment(start_ms=words[0].start_ms, end_ms=words[-1].end_ms, text=text, words=words)
    return Transcript(language="en", segments=(segment,))


def track(corrections: list[Correction], profile: str = "netflix", text: str = "") -> Track:
    text = text or "We walked through the hall of Ramgarth to the end of the village, and nobody was there."
    return cut_track(spoken(text), rules_for(profile, "en"), profile=profile, corrections=corrections)


def corrected(profile: str = "netflix") -> Correction:
    old = next(found for found in track([], profile).cues if "Ramgarth" in " ".join(found.lines))
    text = "\n".join(old.lines)
    here = cue(old.start_ms, old.end_ms, text)
    return change([here], [cue(old.start_ms, old.end_ms, text.replace("Ramgarth", "Ramgarh"))])


def test_a_correction_is_kept_where_the_cues_are_cut_by_another_profile() -> None:
    edit = corrected("netflix")
    one_line = track([], "social")
    assert shown(one_line.cues) != shown(track([], "netflix").cues), "the profiles cut otherwise"
    found = track([edit], "social")
    assert found.unfit == ()
    text = " ".join(line for one in found.cues for line in one.lines)
    assert "Ramgarh " in text
    assert "Ramgarth" not in text


def test_a_correction_of_a_line_that_another_model_heard_otherwise_is_listed_in_the_report() -> None:
    edit = corrected()
    found = track([edit], text="We walked through the hall of Ram Gath to the end of the village.")
    assert found.unfit == (edit,)
    report = found.report(found.violations())
    assert (report["corrected"], report["unfit"]) == (0, [to_plain(edit)])


def test_corrections_of_another_language_change_nothing() -> None:
    edit = Correction(language="hi", old=(), new=(cue(50_000, 51_000, "नमस्ते"),))
    assert track([edit]).cues == track([]).cues
    assert "unfit" not in track([edit]).report(())


def test_every_rule_is_still_checked_in_corrected_cues() -> None:
    edit = change([], [cue(60_000, 60_100, "A very long line that nobody can read in a tenth of a second.")])
    rules = {violation.rule for violation in track([edit]).violations()}
    assert {"reading_speed", "line_length", "min_duration"} & rules


def test_a_file_that_is_none_of_corrections_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "corrections.json"
    document = Corrections(changes=(corrected(),))
    path.write_text(json.dumps(to_plain(document)))
    assert read_corrections(path) == document
    path.write_text('{"version": 99}')
    with pytest.raises(InputError, match="of version 99"):
        read_corrections(path)
    for wrong in ("", "[]", '{"changes": 1}', "\0"):
        path.write_text(wrong)
        with pytest.raises(InputError, match=r"corrections\.json is not a file of corrections"):
            read_corrections(path)


def test_a_corrected_cue_is_held_to_the_rules_of_its_own_language() -> None:
    english = spoken("We walked to the end of the village, and nobody was there.").segments[0]
    japanese = replace(spoken("誰も いない", start_ms=9_000).segments[0], language="ja")
    both = Transcript(language="en", segments=(english, japanese))
    plain = cut_track(both, lambda language: rules_for("netflix", language), profile="netflix")
    last = plain.cues[-1]
    text = "".join(last.lines)
    long = change(
        [cue(last.start_ms, last.end_ms, text)], [cue(last.start_ms, last.end_ms, "誰も" * 9 + "いない")]
    )
    found = cut_track(
        both, lambda language: rules_for("netflix", language), profile="netflix", corrections=[long]
    )
    assert [part.rules.language for part in found.parts] == ["en", "ja"]
    assert "".join(found.parts[1].cues[-1].lines) == "誰も" * 9 + "いない"
    assert "line_length" in {violation.rule for violation in found.violations()}, (
        "16 signs a line in Japanese"
    )


def test_words_that_are_corrected_are_joined_as_their_language_does_and_keep_it() -> None:
    english = spoken("He walked home.").segments[0]
    japanese = replace(spoken("誰も ここに いない", start_ms=9_000).segments[0], language="ja")
    both = Transcript(language="en", segments=(english, japanese))
    wrong, right = cue(9_000, 10_000, "ここに"), cue(9_000, 10_000, "そこに")
    made, unfit = correct_words(both, [change([wrong], [right])])
    assert unfit == ()
    assert [(segment.text, segment.language) for segment in made.segments] == [
        ("He walked home.", ""),
        ("誰もそこにいない", "ja"),
    ]


# Where speakers are known

DIALOGUE = (
    Cue(start_ms=1_000, end_ms=2_500, lines=("-Coming?", "-Yes."), speakers=("1", "2")),
    Cue(start_ms=3_000, end_ms=4_500, lines=("How many men were there?",), speakers=("2",)),
)


@pytest.mark.parametrize(
    ("old", "new", "speakers"),
    [
        (cue(1_000, 2_500, "-Coming?\n-Yes."), cue(1_000, 2_500, "-Are you?\n-Oh yes."), ("1", "2")),
        (cue(3_000, 4_500, "How many men were there?"), cue(3_000, 4_500, "How many\nmen?"), ("2", "2")),
        (cue(3_000, 4_500, "How many men were there?"), cue(3_100, 4_000, "How many men?"), ("2",)),
        (cue(1_000, 2_500, "-Coming?\n-Yes."), cue(1_000, 2_500, "Nobody can tell who says it."), ()),
    ],
)
def test_a_corrected_cue_keeps_its_speakers_where_the_lines_fit(
    old: CorrectedCue, new: CorrectedCue, speakers: tuple[str, ...]
) -> None:
    found = correct_cues(DIALOGUE, [change([old], [new])])
    place = 0 if old.start_ms == 1_000 else 1
    assert found.unfit == ()
    assert found.cues[place].speakers == speakers


@pytest.mark.parametrize(
    ("first", "second"), [("-Coming?", "-Yes."), ("Coming?", "Yes."), ("Is he?", "Oh yes.")]
)
def test_a_dialogue_that_is_split_keeps_who_says_which_line(first: str, second: str) -> None:
    edit = change(
        [cue(1_000, 2_500, "-Coming?\n-Yes.")], [cue(1_000, 1_700, first), cue(1_800, 2_500, second)]
    )
    assert [found.speakers for found in correct_cues(DIALOGUE, [edit]).cues] == [("1",), ("2",), ("2",)]


def test_of_a_dialogue_that_is_split_otherwise_what_is_known_is_kept() -> None:
    edit = change(
        [cue(1_000, 2_500, "-Coming?\n-Yes.")],
        [cue(1_000, 1_400, "Coming?"), cue(1_500, 1_900, "Hm.\nWho knows?"), cue(2_000, 2_500, "Yes.")],
    )
    assert [found.speakers for found in correct_cues(DIALOGUE, [edit]).cues] == [("1",), (), ("2",), ("2",)]


def test_two_who_say_the_same_stay_two_where_their_cue_is_split() -> None:
    both = (Cue(start_ms=1_000, end_ms=2_500, lines=("-No.", "-No."), speakers=("1", "2")),)
    edit = change([cue(1_000, 2_500, "-No.\n-No.")], [cue(1_000, 1_700, "No."), cue(1_800, 2_500, "No.")])
    assert [found.speakers for found in correct_cues(both, [edit]).cues] == [("1",), ("2",)]


def test_a_correction_of_a_dialogue_is_found_in_the_words_of_its_speakers() -> None:
    texts = [("1", "Coming?"), ("2", "Yes."), ("2", "Soon.")]
    words = tuple(
        Word(text=text, start_ms=1_000 + 400 * at, end_ms=1_300 + 400 * at, speaker=speaker)
        for at, (speaker, text) in enumerate(texts)
    )
    said = Transcript(
        language="en",
        segments=(Segment(start_ms=1_000, end_ms=2_100, text="Coming? Yes. Soon.", words=words),),
        speakers=(Speaker(id="1", name="Veeru"), Speaker(id="2")),
    )
    edit = change(
        [cue(1_000, 1_800, "-[Veeru] Coming?\n-Yes.")], [cue(1_000, 1_800, "-[Veeru] Are you?\n-Sure.")]
    )
    found, unfit = correct_words(said, [edit])
    assert unfit == ()
    assert [(word.text, word.speaker) for word in found.words()] == [
        ("Are", "1"), ("you?", "1"), ("Sure.", "2"), ("Soon.", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["Veeru", "Jai", ""])
def test_a_correction_stays_when_its_voice_is_called_otherwise(name: str) -> None:
    words = tuple(
        Word(text=text, start_ms=1_000 + 400 * at, end_ms=1_300 + 400 * at, speaker="1")
        for at, text in enumerate(("Coming", "now?", "Yes."))
    )
    said = Transcript(
        language="en",
        segments=(Segment(start_ms=1_000, end_ms=2_100, text="Coming now? Yes.", words=words),),
        speakers=(Speaker(id="1", name=name),),
    )
    edit = change([cue(1_000, 1_800, "[Veeru] Coming now?")], [cue(1_000, 1_800, "[Veeru] Coming home?")])
    found, unfit = correct_words(said, [edit])
    assert unfit == ()
    assert [word.text for word in found.words()] == ["Coming", "home?", "Yes."]

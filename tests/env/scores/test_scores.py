"""Files against their references by the real libraries, and `cpw compare` as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sacrebleu

from clients.comparing.scoring import measure
from envspecs.layout import home, interpreter
from protocol.schema import from_plain, to_plain
from protocol.subtitles.comparing import CuePair, CueScores, ScoreOrder, TextPairs
from protocol.timeline import Cue
from tests.conftest import Figure
from tests.data import ROOT, data
from workers.engines.common.formats.reading.files import read_cues
from workers.engines.common.formats.srt_vtt import to_srt

pytestmark = [pytest.mark.env("common", "scores"), pytest.mark.slow]

MEANT = {
    "en": ("He began a confused complaint", "against the wizard,", "who had vanished behind the curtain."),
    "de": ("Er begann eine wirre Klage", "gegen den Zauberer,", "der hinter dem Vorhang war."),
    "hi": ("वित्त मंत्रालय ने कहा है", "कि इस कार्यक्रम से", "सरकार को मदद मिलेगी।"),
    "ta": ("அவர் பேசத் தொடங்கினார்,", "யாரும் அவரைக் கேட்கவில்லை,", "அவர் மனைவி கூட இல்லை."),
    "ar": ("بدأ يتكلم الآن،", "لم يسمعه أحد،", "حتى زوجته لم تسمع."),
    "zh": ("他开始说话,", "没有人听见他,", "连他的妻子也没有。"),
    "ja": ("彼は話し始めた。", "誰も聞いていなかった、", "妻さえも。"),
    "th": ("เขาเริ่มพูด", "ไม่มีใครได้ยินเขา", "แม้แต่ภรรยาของเขา"),
}


def cues(texts: Sequence[str], late_ms: int = 0) -> tuple[Cue, ...]:
    return tuple(
        Cue(start_ms=3_000 * place + late_ms, end_ms=3_000 * place + 2_600 + late_ms, lines=(text,))
        for place, text in enumerate(texts)
    )


def scores(*pairs: tuple[Sequence[Cue], Sequence[Cue], str]) -> list[CueScores]:
    """Return the scores of (reference, other, language), all by one process of the environment."""
    asked = [
        CuePair(reference=tuple(meant), other=tuple(other), language=language)
        for meant, other, language in pairs
    ]
    code = (
        "import json, sys; from protocol.schema import from_plain, to_plain;"
        "from protocol.subtitles.comparing import CuePair;"
        "from workers.engines.scores.cues import score_cues;"
        "pairs = [from_plain(CuePair, plain) for plain in json.load(sys.stdin)];"
        "json.dump([to_plain(score_cues(pair)) for pair in pairs], sys.stdout)"
    )
    done = subprocess.run(
        [interpreter("scores"), "-I", "-c", code],
        input=json.dumps([to_plain(pair) for pair in asked]).encode(), capture_output=True, check=True,
        timeout=60,
    )  # fmt: skip
    return [from_plain(CueScores, plain) for plain in json.loads(done.stdout)]


def by_its_command_line(folder: Path, reference: Sequence[Cue], other: Sequence[Cue], *words: str) -> float:
    """Return what the library's own program says of the two as SRT files."""
    for name, written in (("reference.srt", reference), ("other.srt", other)):
        (folder / name).write_text(to_srt(written), encoding="utf-8")
    command = [interpreter("scores"), "-I", "-m", "suber", "-H", "other.srt", "-R", "reference.srt", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=60)
    return float(json.loads(done.stdout)["SubER"])


def test_the_same_file_is_perfect_in_any_language() -> None:
    found = scores(*((cues(texts), cues(texts), language) for language, texts in MEANT.items()))
    assert [(one.suber, one.chrf) for one in found] == [(0.0, 100.0)] * len(MEANT)
    assert [[cue.text for cue in one.cues] for one in found] == [list(texts) for texts in MEANT.values()]


def worse(texts: Sequence[str]) -> list[Cue]:
    return [
        Cue(start_ms=200, end_ms=2_700, lines=(texts[0][:-2],)),
        Cue(start_ms=3_100, end_ms=8_500, lines=tuple(texts[1:])),
    ]


def test_suber_is_that_of_the_librarys_own_program(tmp_path: Path) -> None:
    options = {"en": (), "ta": (), "zh": ("-l", "zh")}
    found = scores(*((cues(MEANT[name]), worse(MEANT[name]), name) for name in options))
    for (name, words), one in zip(options.items(), found, strict=True):
        assert one.suber == by_its_command_line(tmp_path, cues(MEANT[name]), worse(MEANT[name]), *words)
        assert 0 < one.suber < 100


def test_what_is_missing_costs_its_words_and_a_danda_costs_nothing(tmp_path: Path) -> None:
    english, hindi = cues(MEANT["en"]), cues(MEANT["hi"])
    bare = cues([text.rstrip("।") for text in MEANT["hi"]])
    late = [Cue(start_ms=cue.start_ms + 9_000, end_ms=cue.end_ms + 9_000, lines=cue.lines) for cue in english]
    flat = [Cue(start_ms=500, end_ms=500, lines=("A cue of no length",))]
    less, undotted, shifted, nothing, added, neither, same = scores(
        (english, [english[0], english[2]], "en"), (hindi, bare, "hi"), (english, late, "en"),
        (english, (), "en"), ((), english, "en"), ((), (), "en"), (flat, flat, "en"),
    )  # fmt: skip
    assert [cue.text for cue in less.cues] == [MEANT["en"][0], "", MEANT["en"][2]]
    # Three words and the end of the cue, of fourteen words and three ends.
    assert less.suber == pytest.approx(100 * 4 / 17, abs=0.01)
    assert less.cues[1].chrf == 0.0
    assert undotted.suber == 0.0
    assert by_its_command_line(tmp_path, hindi, bare) > 0
    assert (shifted.chrf, shifted.suber > 50) == (100.0, True)
    assert (nothing.suber, nothing.chrf, [cue.text for cue in nothing.cues]) == (100.0, 0.0, [""] * 3)
    assert (added.suber, added.chrf, added.cues) == (100.0, None, ())
    assert (neither.suber, same.suber) == (0.0, 0.0)


def test_the_program_measures_several_languages_in_one_order() -> None:
    texts = TextPairs(a=("Ninguém ouviu.",), b=("Ninguém o ouviu.",))
    found = measure(home(), ScoreOrder(texts=(texts, TextPairs(a=(), b=()))))
    meant = sacrebleu.corpus_chrf(list(texts.b), [list(texts.a)]).score
    assert [one.chrf for one in found.texts] == [round(meant, 2), None]
    assert found.signatures[0].startswith("chrF|nrefs:1")


def compare(folder: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [ROOT / "venv" / "common" / "bin" / "cpw", "compare", *words],
        cwd=folder, env=dict(os.environ, LC_ALL="C"), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def document(folder: Path, *words: str) -> dict[str, Any]:
    code, out, err = compare(folder, *words, "--json")
    assert code == 0, err
    return dict(json.loads(out))


def test_two_files_and_no_job(tmp_path: Path) -> None:
    (tmp_path / "late.hi.srt").write_text(to_srt(cues(MEANT["hi"], 300)), encoding="utf-8")
    (tmp_path / "meant.hi.vtt").write_text(
        "WEBVTT\n\n" + to_srt(cues(MEANT["hi"])).replace(",", "."), encoding="utf-8"
    )
    found = document(tmp_path, "late.hi.srt", "--reference", "meant.hi.vtt")
    assert (found["words"]["error_rate"], found["graphemes"]["error_rate"]) == (0.0, 0.0)
    assert (found["chrf"], found["suber"], found["lines"]) == (100.0, 0.0, [])
    for edge in ("starts", "ends"):
        assert found["timing"][edge] == {
            "found": 3, "median_ms": 300, "within_90_ms": 300, "near": 0.0, "spread_90_ms": 0,
        }  # fmt: skip
    assert (found["file"]["format"], found["reference"]["format"]) == ("srt", "vtt")
    (tmp_path / "meant.en.srt").write_text(to_srt(cues(MEANT["en"])), encoding="utf-8")
    code, out, err = compare(tmp_path, "late.hi.srt", "--reference", "meant.en.srt")
    assert code == 0
    assert "starts  3 of 3  300 ms later  300 ms" in out
    assert "is in Hindi, its reference in English" in err


def test_the_film_in_hindi_by_a_hasty_hand(tmp_path: Path, figure: Figure) -> None:
    reference = data("film/film_hi.hin.srt")
    meant = read_cues(reference)
    # A word is lost in each second cue, and one cue as a whole.
    hasty = [
        Cue(start_ms=cue.start_ms, end_ms=cue.end_ms, lines=(" ".join(cue.lines[0].split()[place % 2 :]),))
        for place, cue in enumerate(meant)
        if place != 5
    ]
    (tmp_path / "hasty.hi.srt").write_text(to_srt(hasty), encoding="utf-8")
    found = document(tmp_path, "hasty.hi.srt", "--reference", str(reference), "--lines", "2")
    lost = 3 + len(meant[5].lines[0].split())
    assert (found["words"]["missing"], found["words"]["different"], found["words"]["added"]) == (lost, 0, 0)
    assert (found["timing"]["missing"], found["timing"]["starts"]["median_ms"]) == (1, 0)
    assert (found["lines"][0]["text"], len(found["lines"])) == ("", 2)
    assert found["different_lines"] == 4
    figure(f"film_hi, a hasty hand: chrF++ {found['chrf']}, SubER {found['suber']}")

# ruff: noqa: RUF001 - the scripts are the subject.
from __future__ import annotations

from pathlib import Path

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import InputError
from protocol.timeline import Cue
from tests.data import data
from workers.engines.common.formats.reading.file_names import language_in_name
from workers.engines.common.formats.reading.files import read_cues, read_subtitles
from workers.engines.common.formats.srt_vtt import to_srt, to_vtt

CUES = (
    Cue(start_ms=1_000, end_ms=2_500, lines=("Hello there.",)),
    Cue(start_ms=3_040, end_ms=5_000, lines=("The first line,", "and the second.")),
)


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def through_pysubs2(folder: Path, name: str, **options) -> Path:
    subtitles = pysubs2.SSAFile()
    for cue in CUES:
        text = r"\N".join(cue.lines)
        subtitles.append(pysubs2.SSAEvent(start=cue.start_ms, end=cue.end_ms, text=text))
    subtitles.save(str(folder / name), **options)
    return folder / name


@pytest.mark.parametrize(
    ("name", "form", "resolution_ms"),
    [
        ("a.srt", "srt", 1),
        ("a.vtt", "vtt", 1),
        ("a.ass", "ass", 10),
        ("a.ssa", "ssa", 10),
        ("a.ttml", "ttml", 1),
    ],
)
def test_what_pysubs2_writes_is_read_as_it_was(tmp_path, name, form, resolution_ms):
    found = read_subtitles(through_pysubs2(tmp_path, name))
    assert found.cues == CUES
    assert (found.format, found.encoding, found.resolution_ms) == (form, "utf-8", resolution_ms)


def test_microdvd_counts_the_frames_of_its_film(tmp_path):
    path = through_pysubs2(tmp_path, "a.sub", fps=50.0)
    found = read_subtitles(path)
    assert found.cues == CUES
    assert (found.format, found.resolution_ms) == ("microdvd", 20)
    bare = write(tmp_path, "b.sub", path.read_text().split("\n", 1)[1])
    assert read_cues(bare, frames_per_second=50.0) == CUES
    with pytest.raises(InputError, match="does not say how many") as refused:
        read_cues(bare)
    assert refused.value.remedy == "Name its film: --film FILM"


def test_mpl2_and_tmp_are_read(tmp_path):
    assert read_cues(write(tmp_path, "a.txt", "[10][25] Hello there.\n[30][50] /One|two\n")) == (
        CUES[0],
        Cue(start_ms=3_000, end_ms=5_000, lines=("One", "two")),
    )
    (first, second) = read_cues(write(tmp_path, "b.txt", "00:00:01:Hello there.\n00:00:03:One|two\n"))
    assert (first.start_ms, first.lines, second.lines) == (1_000, ("Hello there.",), ("One", "two"))


def test_a_sami_line_is_seen_until_the_blank_one(tmp_path):
    text = """<SAMI><BODY>
        <SYNC Start=1000><P>Hello there.
        <SYNC Start=2500><P>&nbsp;
        <SYNC Start=3040><P>The first line,<br>and the second.
        <SYNC Start=5000><P>&nbsp;
        </BODY></SAMI>"""
    assert read_cues(write(tmp_path, "a.smi", text)) == CUES


@pytest.mark.parametrize("namespace", ["http://www.w3.org/ns/ttml", "http://www.w3.org/2006/10/ttaf1"])
def test_ttml_is_read_with_frames_ticks_and_durations(tmp_path, namespace):
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
        <tt xmlns="{namespace}" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="25"
            ttp:tickRate="10000000"><body><div>
          <p begin="10000000t" end="00:00:02:12.5">Hello there.</p>
          <p begin="76f" dur="1.96s">The <span>first</span> line,<br/>and the second.</p>
        </div></body></tt>"""
    assert read_cues(write(tmp_path, "a.xml", text)) == CUES


def test_what_is_markup_elsewhere_is_text_in_ttml_and_sami(tmp_path):
    text = r"""<tt xmlns="http://www.w3.org/ns/ttml"><body><div>
        <p begin="1s" end="2s">{sighs} C:\Nothing &lt;b></p></div></body></tt>"""
    assert read_cues(write(tmp_path, "a.ttml", text))[0].lines == ("{sighs} C:\\Nothing <b>",)
    text = "<SAMI><BODY><SYNC Start=1000><P><i>{sighs}</i> yes<SYNC Start=2000><P>&nbsp;</BODY></SAMI>"
    assert read_cues(write(tmp_path, "a.smi", text))[0].lines == ("{sighs} yes",)


def test_frames_of_a_film_at_23_976_are_of_its_length(tmp_path):
    text = """<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"
        ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"><body><div>
        <p begin="24f" end="48f">One second, and a bit.</p></div></body></tt>"""
    assert read_cues(write(tmp_path, "a.ttml", text))[0].start_ms == 1_001


def test_the_readers_of_youtube_and_subviewer_files_are_there_too(tmp_path):
    assert read_cues(write(tmp_path, "a.sbv", "0:00:01.000,0:00:02.500\nHello there.\n"))[0] == CUES[0]
    (cue,) = read_cues(write(tmp_path, "a.sub", "00:00:01.00,00:00:02.50\nHello[br]there.\n"))
    assert cue.lines == ("Hello", "there.")


def test_srt_is_taken_as_it_stands_but_for_markup(tmp_path):
    text = (
        '1\r\n00:00:01,000 --> 00:00:02,000 X1:1\r\n {\\an8}<i>Two</i> <font size="9">tags</font> \r\n\r\n'
        "2\r\n00:00:03,000 --> 00:00:04,000\r\n\r\n"
        "3\r\n100:00:05,5 --> 100:00:06,000\r\n42\r\n\r\n"
        "4\r\n-00:00:01,000 --> 00:00:00,900\r\nA < b, {sighs}\x07\r\n\r\nafter a blank line\r\n"
    )
    assert read_cues(write(tmp_path, "a.srt", text)) == (
        Cue(start_ms=1_000, end_ms=2_000, lines=(" Two tags ",)),
        Cue(start_ms=3_000, end_ms=4_000, lines=()),
        Cue(start_ms=360_005_500, end_ms=360_006_000, lines=("42",)),
        Cue(start_ms=-1_000, end_ms=900, lines=("A < b, {sighs}\x07", "", "after a blank line")),
    )


def test_webvtt_is_read_without_its_names_notes_and_styles(tmp_path):
    text = (
        "WEBVTT - a title\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\nSTYLE\n::cue { color: red }\n\n"
        "intro\n00:01.000 --> 00:02.500 align:start\n<v Mary>Hello</v> &amp; <00:02.000><c.x>welcome</c>\n\n"
        "NOTE\nnot to be seen\n\n00:00:03.040 --> 00:00:05.000\nOne\ntwo &lt;3\n"
    )
    assert read_cues(write(tmp_path, "a.vtt", text)) == (
        Cue(start_ms=1_000, end_ms=2_500, lines=("Hello & welcome",), speakers=("Mary",)),
        Cue(start_ms=3_040, end_ms=5_000, lines=("One", "two <3")),
    )


def test_ass_has_no_order_no_comments_and_no_drawings(tmp_path):
    text = """[Script Info]
ScriptType: v4.00+

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:03.04,0:00:05.00,Default,,0,0,0,,The first line,\\Nand the second.
Comment: 0,0:00:00.00,0:00:05.00,Default,,0,0,0,,a note
Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\k20\\pos(1,2)}Hello{\\k10} there.
Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}
"""
    assert read_cues(write(tmp_path, "a.ass", text)) == CUES


SPOKEN = {
    ("cp1252", "fr"): "Où êtes-vous allée ? Ça m'a été très pénible, et la fenêtre était fermée.",
    ("cp1252", "de"): "Schöne Grüße aus München, wo die Straßen schön und die Häuser größer sind.",
    ("cp1252", "es"): "¿Qué pasó mañana? El niño comió en la habitación más pequeña, señor.",
    (
        "cp1250",
        "pl",
    ): "Gdzie są moje książki? Myślę, że były tu wcześniej, proszę się rozejrzeć. Źle się czuję.",
    (
        "cp1250",
        "cs",
    ): "Kde jsou moje knížky? Říkal jsem ti, že to není dobrý nápad, příteli. Děkuji ještě jednou.",
    ("cp1254", "tr"): "Bugün hava çok güzel, değil mi? Şimdi dışarı çıkıp yürüyüş yapalım, arkadaşım.",
    ("cp1251", "ru"): "Где мои книги? Я говорил тебе, что это плохая мысль, но ты не слушал.",
    ("koi8-r", "ru"): "Где мои книги? Я говорил тебе, что это плохая мысль, но ты не слушал.",
    ("cp1253", "el"): "Πού είναι τα βιβλία μου; Σου είπα ότι δεν είναι καλή ιδέα, αλλά δεν άκουγες.",
    ("cp1255", "he"): "איפה הספרים שלי? אמרתי לך שזה לא רעיון טוב, אבל לא הקשבת.",
    ("cp1256", "ar"): "أين كتبي؟ قلت لك إن هذه ليست فكرة جيدة، ولكنك لم تستمع إلي.",
    ("cp874", "th"): "หนังสือของฉันอยู่ที่ไหน ฉันบอกคุณแล้วว่านี่ไม่ใช่ความคิดที่ดี",
    ("cp932", "ja"): "私の本はどこですか。それは良い考えではないと言ったのに、聞いていなかった。",
    ("euc_jp", "ja"): "私の本はどこですか。それは良い考えではないと言ったのに、聞いていなかった。",
    ("cp949", "ko"): "내 책은 어디에 있습니까? 그것은 좋은 생각이 아니라고 말했는데 듣지 않았다.",
    ("gb18030", "zh"): "我的书在哪里？我告诉过你这不是一个好主意，但是你没有听我说的话。",
    ("big5", "zh"): "我的書在哪裡？我告訴過你這不是一個好主意，但是你沒有聽我說的話。",
    ("utf-8-sig", "hi"): "मेरी किताबें कहाँ हैं?",
    ("utf-16", "hi"): "मेरी किताबें कहाँ हैं?",
    ("utf-16-le", "hi"): "मेरी किताबें कहाँ हैं?",
    ("utf-16-be", "ja"): "私の本はどこですか。それは良い考えではない",
    ("utf-32", "en"): "Where are my books?",
}


@pytest.mark.parametrize(("encoding", "language"), SPOKEN)
def test_the_encoding_is_found_without_being_told(tmp_path, encoding, language):
    cue = Cue(start_ms=1_000, end_ms=4_000, lines=(SPOKEN[encoding, language],))
    path = write(tmp_path, "a.srt", to_srt([cue] * 3).replace("\n", "\r\n").encode(encoding))
    found = read_subtitles(path)
    assert found.cues[0].lines == cue.lines
    assert found.encoding == encoding


def test_the_language_decides_between_encodings_that_could_both_be(tmp_path):
    data = to_srt([Cue(start_ms=0, end_ms=900, lines=("Già è così!",))]).encode("cp1252")
    assert read_subtitles(write(tmp_path, "a.srt", data), language="it").cues[0].lines == ("Già è così!",)
    assert read_subtitles(write(tmp_path, "a.srt", data)).encoding == "cp1252"
    hebrew = to_srt([Cue(start_ms=0, end_ms=900, lines=("כן, אבי.",))]).encode("cp1255")
    assert read_subtitles(write(tmp_path, "a.srt", hebrew), language="he").cues[0].lines == ("כן, אבי.",)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.srt", "Only a story, nothing more.", "is not a subtitle file"),
        ("a.txt", "", "is not a subtitle file"),
        ("a.srt", bytes(range(256)) * 10, "is not a text file"),
        ("a.sub", b"\x00\x00\x01\xba" * 1_000, "is not a text file"),
        ("a.ttml", '<tt xmlns="http://www.w3.org/ns/ttml"><body>', "is not a subtitle file"),
        ("a.ttml", '<!DOCTYPE a [<!ENTITY b "c">]>', "declares entities"),
        (
            "a.ass",
            "[Script Info]\nScriptType: v4.00+\n[Events]\nDialogue: 0,x,y,,,,,,,z",
            "as its format wants",
        ),
        ("a.json", '{"language": "en", "segments": []}', "is not a subtitle file"),
    ],
)
def test_what_is_no_subtitle_file_is_refused_with_a_sentence(tmp_path, name, content, sentence):
    with pytest.raises(InputError, match=sentence) as refused:
        read_cues(write(tmp_path, name, content))
    assert refused.value.remedy


def test_what_is_not_there_or_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not there"):
        read_cues(tmp_path / "a.srt")
    with pytest.raises(InputError, match="is a folder"):
        read_cues(tmp_path)


def test_a_film_without_speech_has_an_empty_file(tmp_path):
    assert read_cues(write(tmp_path, "a.srt", to_srt([]))) == ()
    assert read_cues(write(tmp_path, "a.vtt", to_vtt([]))) == ()


_LINE = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=30)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(_LINE, min_size=1, max_size=2), min_size=1, max_size=5))
def test_what_this_program_writes_is_read_as_it_was(tmp_path_factory, texts):
    # Markup, and the ends of a cue that are blank, are nobody's text.
    texts = [[line.replace("<", "").replace("{", "") for line in lines] for lines in texts]
    texts = [[line if line.strip() else "x" for line in lines] for lines in texts]
    cues = tuple(
        Cue(start_ms=place * 2_000, end_ms=place * 2_000 + 1_000, lines=tuple(lines))
        for place, lines in enumerate(texts)
    )
    folder = tmp_path_factory.mktemp("files")
    assert read_cues(write(folder, "a.srt", to_srt(cues))) == cues
    assert read_cues(write(folder, "a.vtt", to_vtt(cues))) == cues


@pytest.mark.parametrize("name", ["film_en.eng.srt", "film_hi.hin.srt", "nasa_13013.en.srt"])
def test_real_files_are_read_as_pysubs2_reads_them(name):
    path = data(f"film/{name}")
    ours = [(cue.start_ms, cue.end_ms, "\n".join(cue.lines)) for cue in read_cues(path)]
    assert ours == [(event.start, event.end, event.plaintext) for event in pysubs2.load(str(path))]


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("Film.en.srt", "en"), ("Film.hin.srt", "hi"), ("Film.pt-BR.srt", "pt"), ("Film.de.forced.srt", "de"),
        ("Film.en.hi.srt", "en"), ("Film.hi.srt", "hi"), ("My.Film.hi.srt", "hi"), ("Film.srt", "und"),
        ("The.Film.1999.1080p.srt", "und"), ("en.srt", "und"), ("Film.pt_BR.srt", "pt"),
        ("Film.zh_CN.srt", "zh"),
        ("Film.zh-Hant-TW.forced.srt", "zh"), ("Film.sr_Latn.srt", "sr"), ("Film.es-419.sdh.srt", "es"),
        ("Film.English.srt", "en"), ("Film.hi_IN.cc.srt", "hi"), ("Film.en_of_x.srt", "und"),
        ("Film.hi-Latn.srt", "hi-Latn"), ("Film.ur_deva.forced.srt", "ur-Deva"), ("Film.hi-Deva.srt", "hi"),
    ],
)  # fmt: skip
def test_the_language_is_in_the_name(name, language):
    assert language_in_name(Path(name)) == language

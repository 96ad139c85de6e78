# ruff: noqa: RUF001 - the scripts are the subject.
"""Two cues and their words in each of ten scripts, and text that formats take for markup."""

from __future__ import annotations

from protocol.timeline import Cue, Word

TEN_SCRIPTS = {
    "en": ("Why would it be lost?", "Because I counted on Mr. Dashwood!"),
    "hi": ("क्या आप कल दिल्ली आएँगे?", "सरकार को मदद मिलेगी।"),
    "bn": ("আপনি কি কাল আসবেন?", "আমি বাংলায় গান গাই।"),
    "gu": ("તમે કાલે આવશો?", "મને ગુજરાતી આવડે છે."),
    "ta": ("தமிழ் மொழி பழமையானது.", "அது எங்கே பேசப்படுகிறது?"),
    "te": ("నేను రేపు వస్తాను!", "తెలుగు భాష మాట్లాడతారు."),
    "kn": ("ನೀವು ನಾಳೆ ಬರುತ್ತೀರಾ?", "ಕನ್ನಡ ನಮ್ಮ ಭಾಷೆ."),
    "ml": ("നിങ്ങൾ നാളെ വരുമോ?", "മലയാളം എന്റെ ഭാഷയാണ്."),
    "ur": ("کیا آپ YouTube پر آئیں گے؟", "یہ کام کل مکمل ہو جائے گا۔"),
    "ja": ("私は昨日、東京に行きました。", "とても楽しかったです！"),
}
MARKUP = (r"C:\New {x} \h \n and", r"{\b1}<i>Tom & \N \{Jerry}</i> --> ]]>")
"""Spoken text, two lines of it, that is markup in one format or another."""


def words_of(language: str) -> tuple[Word, ...]:
    """Return the words of both lines, half a second each with a tenth between; in Japanese the letters."""
    lines = TEN_SCRIPTS[language]
    texts = [word for line in lines for word in (line if language == "ja" else line.split())]
    return tuple(
        Word(text=text, start_ms=1_200 + 600 * place, end_ms=1_700 + 600 * place)
        for place, text in enumerate(texts)
    )


def cues_of(language: str) -> tuple[Cue, ...]:
    """Return a cue of both lines, from a fifth of a second before the words, and one of the first alone."""
    end = words_of(language)[-1].end_ms
    first, second = TEN_SCRIPTS[language]
    return (
        Cue(start_ms=1_000, end_ms=end, lines=(first, second)),
        Cue(start_ms=end + 83, end_ms=end + 2_007, lines=(first,)),
    )

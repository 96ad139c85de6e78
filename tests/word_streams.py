# ruff: noqa: RUF001 - the scripts are the subject.
"""Streams of words in thirteen scripts: as people speak them, and as no aligner should give them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import regex
from hypothesis import strategies as st

from protocol.languages import UNSPACED
from protocol.timeline import Word
from workers.engines.common.cues.cut import CueRules
from workers.engines.common.cues.profiles import PROFILES, rules_for

_GRAPHEME = regex.compile(r"\X")
_LETTER = regex.compile(r"[\p{Latin}\d]+|\S")
TEXTS = {
    "en": "He said that nothing, however small, is lost. Why would it be? Because I counted on Mr. Dashwood! "
    "Yes. It costs 3.14 dollars, and the U.S. Army (No. 5) came to the house of an old friend…",
    "hi": "वित्त मंत्रालय ने कहा है कि महामारी पर प्रतिकूल प्रभाव को कम करने में, सरकार को मदद मिलेगी। हाँ। "
    "डॉ. सिंह कल दिल्ली आएँगे और क्या आप भी उनके साथ चलेंगे?",
    "bn": "আমি বাংলায় গান গাই, কিন্তু তুমি কি আমার কথা শুনতে পাও? হ্যাঁ। আজ সকালে প্রচণ্ড বৃষ্টির মধ্যে "
    "আমরা নদীর ধারে গিয়েছিলাম এবং সন্ধ্যায় ফিরে এসেছি।",
    "pa": "ਮੈਂ ਕੱਲ੍ਹ ਅੰਮ੍ਰਿਤਸਰ ਗਿਆ ਸੀ, ਪਰ ਉੱਥੇ ਬਹੁਤ ਭੀੜ ਸੀ। ਕੀ ਤੁਸੀਂ ਸਾਡੇ ਨਾਲ ਆਓਗੇ? ਹਾਂ। ਸਰਕਾਰ ਨੇ ਕਿਹਾ ਹੈ ਕਿ "
    "ਕਿਸਾਨਾਂ ਦੀ ਮਦਦ ਕੀਤੀ ਜਾਵੇਗੀ।",
    "gu": "મને ગુજરાતી આવડે છે, પણ તમે કાલે ક્યાં હતા? હા. સરકારે કહ્યું છે કે આ યોજનાથી ખેડૂતોને "
    "ફાયદો થશે અને ગામડાંમાં રસ્તા બનશે.",
    "or": "ମୁଁ କାଲି ଭୁବନେଶ୍ୱର ଯାଇଥିଲି, କିନ୍ତୁ ସେଠାରେ ବହୁତ ଭିଡ଼ ଥିଲା। ଆପଣ କେମିତି ଅଛନ୍ତି? ହଁ। ସରକାର କହିଛନ୍ତି ଯେ କୃଷକମାନଙ୍କୁ ସାହାଯ୍ୟ ମିଳିବ।",
    "ta": "தமிழ் மொழி உலகின் பழமையான மொழிகளில் ஒன்று, அது எங்கே பேசப்படுகிறது? ஆம். பல்கலைக்கழகத்தின் "
    "மருத்துவப் பேராசிரியர் எச்சரித்துள்ளார், ஆனால் யாரும் கேட்கவில்லை.",
    "te": "తెలుగు భాష దక్షిణ భారతదేశంలో మాట్లాడతారు, కానీ నేను రేపు వస్తాను! అవును. విశ్వవిద్యాలయంలో "
    "పరిశోధన ఇంకా ప్రారంభ దశలోనే ఉందని హెచ్చరించారు.",
    "kn": "ಕನ್ನಡ ನಮ್ಮ ಭಾಷೆ, ಆದರೆ ನೀವು ನಾಳೆ ಬರುತ್ತೀರಾ? ಹೌದು. ವಿಶ್ವವಿದ್ಯಾಲಯದ ಪ್ರಾಧ್ಯಾಪಕರು ಸಂಶೋಧನೆಯು ಇನ್ನೂ "
    "ಆರಂಭಿಕ ಹಂತದಲ್ಲಿದೆ ಎಂದು ಹೇಳಿದ್ದಾರೆ.",
    "ml": "മലയാളം എന്റെ ഭാഷയാണ്, പക്ഷേ നിങ്ങൾ നാളെ വരുമോ? അതെ. സർവ്വകലാശാലയിലെ പ്രൊഫസർ ഗവേഷണം ഇപ്പോഴും "
    "പ്രാരംഭഘട്ടത്തിലാണെന്ന് മുന്നറിയിപ്പ് നൽകി.",
    "ur": "حکومت نے کہا ہے کہ یہ کام کل مکمل ہو جائے گا۔ کیا آپ YouTube پر آئیں گے؟ جی، ڈاکٹر صاحب کے ساتھ "
    "ہم بھی چلیں گے اور شام کو واپس آ جائیں گے۔",
    "ja": "私は昨日、友達と東京に行きました。とても楽しかったです！ええ。"
    "YouTubeで「ゴジラ」を見た人は、もう帰ったでしょうか？",
    "zh": "我昨天和朋友去了北京，天气非常好。你觉得怎么样？是的。"
    "政府说，这个项目将在2025年完成，大家都很高兴！",
}
"""A few sentences a script: long and short ones, commas, questions, abbreviations, numbers."""

NASTY = (
    "", " ", ".", "…", "—", "?!", "”", "(", "।", "。", "-", "\u0301", "\u200f", "a\u200db",
    "e\u0301\u0302\u0327", "👩\u200d👩\u200d👧\u200d👦", "🇮🇳", "👍🏽", "\u0915\u094d\u0937\u093f" * 30,
    "x" * 3_000, "नि" * 3_000, "two words",
    "a\nb\x07c", "I\u2028you", "Mr.", "3.", "U.S.",
    "«", "\u00a0", "\u202bשלום\u202c", "１２３", "ー", "かった。",
    "-No.", ">>", "♪", "»", "€",
)  # fmt: skip
"""What a recogniser may put out for a word: nothing, marks alone, joined emoji, words longer than cues."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Words and the rules they are to be cut by."""

    words: tuple[Word, ...]
    rules: CueRules
    profile: str
    tidy: bool
    """Whether the times are such as a person speaks: rising, without overlap, inside the film."""


def texts_of(language: str, text: str | None = None) -> list[str]:
    """Return the words of a text (the language's own where none is given), or the letters."""
    text = TEXTS[language] if text is None else text
    return _LETTER.findall(text) if language in UNSPACED else text.split()


def speech(
    sentences: Iterable[str], language: str, *, seed: int = 1, grapheme_ms: int = 62, start_ms: int = 1_000
) -> list[Word]:
    """Return the sentences as somebody says them: never twice as fast, with breath at their ends and commas.

    `grapheme_ms` is what a grapheme of a word takes on average, pauses not counted.
    """
    chance, now, words = random.Random(seed), start_ms, []
    wide = 2 if language in UNSPACED else 1
    for sentence in sentences:
        pace = grapheme_ms * wide * chance.uniform(0.85, 1.2)
        for text in texts_of(language, sentence):
            length = round(pace * max(1, len(_GRAPHEME.findall(text))) * chance.uniform(0.8, 1.25))
            words.append(Word(text=text, start_ms=now, end_ms=now + length))
            now += length + _breath(text, language, chance)
        now += round(chance.lognormvariate(5.8, 0.7))
    return words


def hours_of(language: str, hours: float, count: int, lines: Sequence[str] = ()) -> list[tuple[Word, ...]]:
    """Return `count` words over so many hours, by lines: these (else the language's own) again and again."""
    lines = lines or (TEXTS[language],)
    sizes = [len(texts_of(language, line)) for line in lines]
    times = count // sum(sizes) + 1
    words = speech(itertools.chain.from_iterable([lines] * times), language)[:count]
    stretch = hours * 3_600_000 / words[-1].end_ms
    stretched = iter(
        Word(text=word.text, start_ms=round(word.start_ms * stretch), end_ms=round(word.end_ms * stretch))
        for word in words
    )
    found = (tuple(itertools.islice(stretched, size)) for size in sizes * times)
    return [line for line in found if line]


def _breath(text: str, language: str, chance: random.Random) -> int:
    if text[-1] in ",;:،、，":
        return round(chance.lognormvariate(5.2, 0.5))
    if chance.random() < 0.03:
        return round(chance.lognormvariate(5.6, 0.6))
    return 0 if language in UNSPACED else chance.choice((0, 20, 40, 60))


# A byte says how long a word takes and when the next starts. Zero is the plainest: failures shrink to it.
_PACES = (70, 60, 90, 45, 120, 30, 15, 250)
_PAUSES = (40, 0, 100, 0, 300, 500, 700, 900, 1_100, 1_500, 2_100, 4_000, 0, 60, 20, 200)
_TIDY = 128


def _timed(texts: Sequence[str], times: bytes, start_ms: int) -> list[Word]:
    now, words = start_ms, []
    for text, byte in zip(texts, times, strict=True):
        pace, pause = _PACES[byte % 8], _PAUSES[byte // 8 % 16]
        length = pace * max(1, len(_GRAPHEME.findall(text[:80])))
        begin, end, now = (
            _misplaced(byte, now, length) if byte >= _TIDY else (now, now + length, now + length)
        )
        words.append(Word(text=text, start_ms=begin, end_ms=end))
        now += pause
    return words


def _misplaced(byte: int, now: int, length: int) -> tuple[int, int, int]:
    """Return a start, an end and the clock after it, as bad alignment gives them."""
    return {
        0: (now, now, now),  # no time at all
        1: (now, now + length, now),  # over the next one
        2: (now - 3_000, now - 3_000 + length, now),  # back in time
        3: (now + length, now, now + length),  # the end before the start
        4: (now, now + 60 * length, now + length),  # far over the next ones
        5: (now + 500_000, now + 500_000, now),  # past any film
        6: (now, now, now + 600_000),  # silence of ten minutes
        7: (-5_000, now + length, now + length),  # before the film
    }[byte % 8]


@st.composite
def cases(draw: st.DrawFn, *, most: int = 48) -> Case:
    """Draw a stream of up to `most` words in one of the scripts, a profile, and a film about as long."""
    language, profile = draw(st.sampled_from(sorted(TEXTS))), draw(st.sampled_from(sorted(PROFILES)))
    tidy, vocabulary = draw(st.booleans()), texts_of(language)
    # An even choice of lengths: hypothesis' own has most streams short.
    count = draw(st.integers(1, most))
    picks, times = (draw(st.binary(min_size=count, max_size=count)) for _ in range(2))
    begin = draw(st.integers(0, len(vocabulary) - 1))
    if tidy:
        # Running text: what comes after a word is what follows it in the sentence.
        texts = list(itertools.islice(itertools.cycle(vocabulary), begin, begin + len(picks)))
        times = bytes(time % _TIDY for time in times)
    else:
        texts = [_pick(vocabulary, begin + place, pick) for place, pick in enumerate(picks)]
    words = _timed(texts, times, draw(st.sampled_from((0, 1_000, 3_599_000))))
    end = max((word.end_ms for word in words), default=0)
    longest = (end + 2_000, end + 100_000, 0) if tidy else (end + 2_000, 0, end // 2, 1, 900, 20_000)
    rules = rules_for(
        profile,
        language,
        frames_per_second=draw(st.sampled_from((24, 23.976, 25, 30, 60))),
        media_duration_ms=draw(st.sampled_from(longest)),
    )
    return Case(words=tuple(words), rules=rules, profile=profile, tidy=tidy)


def _pick(vocabulary: Sequence[str], place: int, byte: int) -> str:
    if byte < 192:
        return vocabulary[(place + byte // 64) % len(vocabulary)]
    return NASTY[(byte - 192) % len(NASTY)]

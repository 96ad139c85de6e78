"""Initials of names: `J. K.`, `А. С.`, `के. आर.`, `மு. க.`; and one-syllable words that are none. Pure."""

# ruff: noqa: RUF002 - the letters of many scripts are meant here, not mistyped Latin.

from __future__ import annotations

import unicodedata

__all__ = ["is_initial", "is_initials"]

_UNINITIALLED = ("HANGUL", "CJK", "HIRAGANA", "KATAKANA", "LAO", "KHMER", "MYANMAR", "ETHIOPIC", "TIBETAN")
"""Scripts whose single letters are syllables or words: `네.`, `了.`"""
_INDIC = (
    "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM",
    "SINHALA",
)  # fmt: skip
_TWO_LETTERS = {"ru": frozenset({"Дж"}), "de": frozenset({"Th", "Ch"}), "hu": frozenset({"Gy", "Zs", "Sz"})}
"""Sounds of one letter that take two."""
_SHORT = 2
"""So many letters of a script have the name of a Latin letter, as `एस` has."""
_ONE_LETTER_WORDS = {
    "pt": frozenset("É"),
    "gl": frozenset("É"),
    "ca": frozenset("É"),
    "it": frozenset("È"),
    "hu": frozenset("Ő"),
    "uk": frozenset("Є"),
}
"""Words that are a sentence alone: Portuguese `É.`, yes."""
_VIETNAMESE_NAMES = frozenset("ABCDĐEGHIKLMNOPQRSTUVXY")

_NASAL = "ंँঁংਂੰਁંઁଂଁ"
"""Signs that end a word such as Hindi's `हों`, and no initial."""
_LATIN_NAMES = {
    "DEVANAGARI": """ए बी सी डी ई एफ एफ़ जी एच आई जे के एल एम एन ओ पी क्यू आर एस टी यू वी डब्ल्यू डब्लू एक्स वाई
        वाय ज़ेड जेड""",
    "BENGALI": "এ বি সি ডি ই এফ জি এইচ আই জে কে এল এম এন ও পি কিউ আর এস টি ইউ ভি ডব্লিউ এক্স ওয়াই জেড",
    "GURMUKHI": "ਏ ਬੀ ਸੀ ਡੀ ਈ ਐਫ ਐੱਫ ਜੀ ਐਚ ਐੱਚ ਆਈ ਜੇ ਕੇ ਐਲ ਐੱਲ ਐਮ ਐੱਮ ਐਨ ਐੱਨ ਓ ਪੀ ਕਿਊ ਆਰ ਐਸ ਐੱਸ ਟੀ ਯੂ ਵੀ ਵਾਈ",
    "GUJARATI": "એ બી સી ડી ઈ એફ જી એચ આઈ આઇ જે કે એલ એમ એન ઓ પી ક્યૂ આર એસ ટી યુ વી ડબલ્યુ એક્સ વાય ઝેડ",
    "ORIYA": "ଏ ବି ସି ଡି ଇ ଏଫ ଜି ଏଚ୍ ଏଚ ଆଇ ଜେ କେ ଏଲ ଏମ ଏନ ଓ ପି ଆର ଏସ ଟି ୟୁ ଭି",
    "TAMIL": """ஏ எ பி சி டி ஈ இ எஃப் எப் ஜி எச் ஹெச் ஐ ஜே ஜெ கே எல் எம் என் ஓ பி கியூ ஆர் எஸ் டி யு யூ வி
        டபிள்யூ டபுள்யூ எக்ஸ் ஒய்""",
    "TELUGU": "ఎ ఏ బి సి డి ఇ ఎఫ్ జి జీ హెచ్ ఎచ్ ఐ జె జే కె కే ఎల్ ఎం ఎమ్ ఎన్ ఓ ఒ పి క్యూ ఆర్ ఎస్ టి యు యూ వి వై ఎక్స్",
    "KANNADA": "ಎ ಏ ಬಿ ಸಿ ಡಿ ಇ ಎಫ್ ಜಿ ಎಚ್ ಹೆಚ್ ಐ ಜೆ ಜೇ ಕೆ ಕೇ ಎಲ್ ಎಂ ಎಮ್ ಎನ್ ಓ ಒ ಪಿ ಕ್ಯೂ ಆರ್ ಎಸ್ ಟಿ ಯು ಯೂ ವಿ ವೈ ಎಕ್ಸ್",
    "MALAYALAM": "എ ഏ ബി സി ഡി ഇ ഈ എഫ് ജി എച്ച് ഐ ജെ ജേ കെ കേ എൽ എല്‍ എം എൻ എന്‍ ഒ ഓ പി ക്യു ആർ ആര്‍ എസ് ടി യു വി വൈ എക്സ്",
}  # fmt: skip
"""What the letters of the Latin alphabet are called: `एम. एस. धोनी`."""
_NAMES = {script: frozenset(words.split()) for script, words in _LATIN_NAMES.items()}

_WORDS = {
    script: frozenset(words.split())
    for script, words in {
        "DEVANAGARI": """है हैं हो हूँ हूं था थी थे थीं गा गे गी में से को का की ने जी हाँ हां ना न ही भी तो लो दो ले दे जा आ
            खा पी सो मैं तू ये वे वो माँ मां जो रो धो ली दी सी ओ नौ सौ छः आई गई हे हा ती ते तो मी घे या छ छौ भो च
            बा पा ला""",
        "BENGALI": "না হ্যাঁ তা যা মা কি কী গো সে ও এ কে দে নে যে খা জি ছি বা নি আ হা",
        "GURMUKHI": "ਹੈ ਹਾਂ ਨਾ ਜੀ ਸੀ ਤੂੰ ਮੈਂ ਕੀ ਦੇ ਲੈ ਜਾ ਆ ਓ ਹੋ ਸੋ ਪੀ ਖਾ ਨੇ ਨੂੰ ਦੀ ਦਾ ਵੀ ਹੀ ਗਾ ਗੀ ਗੇ ਤੇ ਆਈ",
        "GUJARATI": "હા ના છે છો છું હું તું તે જે શું મા જા લે દે ઓ આ એ કે બે સો હો જી થી ને નો ની નું જ",
        "ORIYA": "ନା ହଁ ମା ସେ କି ଯା ଓ ଏ ମୁଁ ତୁ କେ",
        "TAMIL": "வா போ தா நீ கை பை பூ தீ மை ஆ ஓ ஈ தை வை சீ பா",
        "TELUGU": "రా పో తే ఆ ఈ ఓ నీ మా కా లే దా",
        "KANNADA": "ಬಾ ಹೋ ತಾ ನೀ ಆ ಈ ಓ ಕೈ",
        "MALAYALAM": "വാ പോ താ നീ ഓ ആ ഈ കൈ",
        "SINHALA": "ඔව් නෑ මා වා දා",
    }.items()
}
"""Words of one letter with its signs that may end a sentence. Where such a word is also the name of a letter,
what stands beside it decides."""


def is_initials(word: str) -> bool:
    """Return whether a word with full stops inside, written without its last, is made of initials: `U.S`."""
    parts = word.split(".")
    return len(parts) > 1 and all(_is_part(part) for part in parts)


def is_initial(word: str, before: str, following: str, language: str) -> bool:
    """Return whether a word, written without its full stop, is the initial of a name.

    `before` and `following` are the words beside it, or empty.
    """
    if not word or not word[0].isalpha():
        return False
    if word.upper() != word.lower():
        return _is_capital(word, language)
    script = unicodedata.name(word[0], "").partition(" ")[0]
    if script == "THAI" or script in _UNINITIALLED:
        return False
    if script not in _INDIC:
        return len(word) == 1
    if word in _WORDS[script]:
        return word in _NAMES.get(script, ()) and _stands_with_initials(before, following)
    return word in _NAMES.get(script, ()) or (_letters(word) == 1 and word[-1] not in _NASAL)


def _is_capital(word: str, language: str) -> bool:
    plain = unicodedata.normalize("NFC", word)
    if language == "vi":
        return plain in _VIETNAMESE_NAMES
    if plain in _ONE_LETTER_WORDS.get(language, ()):
        return False
    return (plain.isupper() and len(plain) == 1) or plain in _TWO_LETTERS.get(language, ())


def _stands_with_initials(before: str, following: str) -> bool:
    """Return whether the words beside say that this is a name: nothing before it, or another initial."""
    if before == "" or before[-1] in ".।॥?!":
        return True
    return following.endswith(".") and 1 <= _letters(following[:-1]) <= _SHORT


def _is_part(part: str) -> bool:
    """Return whether a part stands for one word of a name: `J`, `Ph`, `-C`, or the name of a letter."""
    letters = _letters(part.lstrip("-"))
    if letters == 1 or part.upper() == part.lower():
        return 1 <= letters <= _SHORT
    return letters == _SHORT and part[0].isupper()


def _letters(text: str) -> int:
    """Return how many letters a text has, without its signs; 0 if it has something else."""
    kinds = [unicodedata.category(character)[0] for character in text]
    return kinds.count("L") if set(kinds) <= {"L", "M"} else 0

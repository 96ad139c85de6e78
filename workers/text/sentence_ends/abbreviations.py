"""Abbreviations by language (ISO 639-1): words whose full stop may end nothing. Plain tables.

A word stands only where it is an abbreviation in that language: Spanish `mar.` is the sea, Swedish `hon.` is
she. A word with a capital counts only with a capital: English `Hon.` is a title, `hon.` is somebody dear.
"""

# ruff: noqa: RUF001 - the letters of many scripts are meant here, not mistyped Latin.

from __future__ import annotations

from enum import Enum

__all__ = ["Kind", "kind_of"]


class Kind(Enum):
    """What the full stop of an abbreviation may do."""

    NEVER = "it ends no sentence: something must follow, such as the name of a title"
    NUMBER = "it ends one unless a number follows: `No. 5`, but `He said no.`"
    STARTER = "it ends one where a word follows that starts sentences: `Apple Inc. My sister`"
    CAPITAL = "it ends one where a capital follows: `at 5 p.m. John left`"
    DATED = "the same behind a number, and never elsewhere: Russian `в 1945 г.`, but `в г. Москве`"


_EVERYWHERE = {
    Kind.NEVER: "mr mrs ms dr",
}
"""Of every language in Latin letters: names keep their titles in a translation."""

_TABLES: dict[str, dict[Kind, str]] = {
    "en": {
        Kind.NEVER: """mr mrs ms mx messrs mme mlle dr prof capt cpt cpl lt sgt maj pvt cdr cmdr brig insp
            supt
            pres sen gov Rep Gen Col Hon Rev Adm Det Adv Pt Ald Amb Atty Assoc Asst Fr Br smt shri
            vs v viz cf approx e.g i.e ibid al Lt.Col Lt.Gen""",
        Kind.NUMBER: """no nos p pp vol vols fig figs ch sec art para cl eq ver rs nr pt ext tel c ca circa
            b d
            op""",
        Kind.STARTER: """inc ltd co corp bros llc plc jr sr esq st ave blvd rd mt ft dept univ assn est min
            hr hrs
            Fla Calif Mass Conn Ariz Mich Minn Okla Tenn Tex Wis Wyo oz lb lbs yd pvt.ltd ph.d phd m.d b.a
            m.a b.sc m.sc d.c
            Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun""",
        Kind.CAPITAL: "a.m p.m pm etc AD BC b.c a.d c.e b.c.e",
    },
    "de": {
        Kind.NEVER: """hr hrn frl dr prof ing dipl Mag st Fr Abg Min Präs Gen Bzgl
            z z.b d h d.h u u.a o o.ä i i.d.r v n s s.o s.u b m.e u.u
            bzw ca vgl sog bspw evtl ggf inkl exkl mind insb zzgl bzgl einschl geb gest verh
            allg urspr schätzungsw zw betr gez kath ev""",
        Kind.NUMBER: "nr nrn abs max min Art Bd Kap Abb Tab Pos Ziff Tel S",
        Kind.STARTER: """Str Chr Jh Jhd Jhdt Std Mio Mrd Tsd jr sen Co Jan Feb Apr Aug Sep Sept Okt Nov Dez
            v.chr n.chr tgl etw jmd""",
        Kind.CAPITAL: "usw usf etc u.v.m a",
    },
    "fr": {
        Kind.NEVER: "mm mme mmes mlle mlles dr pr Me st ste mgr cf env av apr J.-C p.ex M",
        Kind.NUMBER: "n no art vol chap fig p pp tél sept",
        Kind.STARTER: "bd boul janv févr avr juil oct nov déc j.-c prof hab",
        Kind.CAPITAL: "etc",
    },
    "es": {
        Kind.NEVER: """sr sra sres sras srta dr dra dres prof profa lic ing arq gral cap tte cnel excmo excma
            ilmo d dña dn sto sta fr ej p.ej p Mons Hno Hna EE av avda c""",
        Kind.NUMBER: "núm num n.º art pág págs vol cap fig tel",
        Kind.STARTER: "uu ee.uu cía s.a s.l jr ud uds vd vds a.c d.c",
        Kind.CAPITAL: "etc a.m p.m",
    },
    "pt": {
        Kind.NEVER: """sr sra srs sras srta dr dra drs prof profa eng enga exmo exma ilmo ilma d dna sto
            sta fr
            gen Cel cap ten sarg p.ex av r Pe Pça""",
        Kind.NUMBER: "n.º nº núm art pág págs p vol cap fig tel",
        Kind.STARTER: "ltda cia s.a jr a.c d.c",
        Kind.CAPITAL: "etc a.m p.m",
    },
    "it": {
        Kind.NEVER: """sig sigg sig.ra sig.na dott dott.ssa dottssa dr prof prof.ssa proff avv ing arch geom
            rag on sen gen col cap ten mons don s sta egr gent spett es ecc.mo p.es cfr v""",
        Kind.NUMBER: "n art pag pagg p vol cap fig tel",
        Kind.STARTER: "s.p.a s.r.l a.c d.c jr gen feb apr sett ott nov dic",
        Kind.CAPITAL: "ecc",
    },
    "nl": {
        Kind.NEVER: """dhr mevr mw mej dr drs prof ir ing mr st ds bijv b.v bv d.w.z m.a.w o.a t.a.v ca evt
            incl
            excl resp zgn a.u.b a.s i.p.v m.b.t""",
        Kind.NUMBER: "nr nrs blz art tel hfst max min",
        Kind.STARTER: "n.v jr jan feb apr aug sept okt nov dec n.chr v.chr chr",
        Kind.CAPITAL: "enz etc",
    },
    "sv": {
        Kind.NEVER: "t.ex dvs bl.a s.k d.v.s ca kl jfr resp inkl exkl f.d fr hr dr prof",
        Kind.NUMBER: "nr kap art tel s sid",
        Kind.STARTER: "jr e.kr f.kr",
        Kind.CAPITAL: "osv m.m m.fl etc",
    },
    "da": {
        Kind.NEVER: "f.eks fx bl.a dvs ca kl hr fr dr prof jf pga mht inkl ekskl evt skt",
        Kind.NUMBER: "nr kap art tel s stk",
        Kind.STARTER: "jr e.kr f.kr",
        Kind.CAPITAL: "osv mv m.m m.fl etc",
    },
    "no": {
        Kind.NEVER: "f.eks bl.a dvs ca kl hr fr dr prof jf pga inkl ekskl evt st",
        Kind.NUMBER: "nr kap art tlf s",
        Kind.STARTER: "jr e.kr f.kr",
        Kind.CAPITAL: "osv mv m.m m.fl etc",
    },
    "fi": {
        Kind.NEVER: "esim mm ns ks vrt tri prof hra rva nk t.s",
        Kind.NUMBER: "nro s puh klo",
        Kind.STARTER: "jr eaa jaa eKr jKr",
        Kind.CAPITAL: "jne yms ym",
    },
    "is": {Kind.NEVER: "t.d þ.e u.þ.b hr frú dr", Kind.NUMBER: "nr bls kl", Kind.CAPITAL: "o.s.frv"},
    "pl": {
        Kind.NEVER: "np tzn tj ul al pl os św ks prof inż mgr hab gen płk kpt por ww tzw m.in red",
        Kind.NUMBER: "nr str s art tel poz rozdz godz ok",
        Kind.STARTER: "im w zł gr tys n.e p.n.e jr",
        Kind.CAPITAL: "itd itp",
        Kind.DATED: "r",
    },
    "cs": {
        Kind.NEVER: """např tj tzn tzv ul nám sv p pí ing mgr bc mudr judr phdr rndr doc prof gen plk kpt
            mj cca
            resp popř srov""",
        Kind.NUMBER: "č čís str s tel odst",
        Kind.STARTER: "r stol n.l př tis mil kč ml st",
        Kind.CAPITAL: "atd apod aj",
    },
    "sk": {
        Kind.NEVER: "napr tj tzn tzv ul nám sv p ing mgr bc mudr judr phdr doc prof gen plk kpt cca resp",
        Kind.NUMBER: "č čís str s tel ods",
        Kind.STARTER: "r stor n.l pr tis mil ml st",
        Kind.CAPITAL: "atď atd a pod",
    },
    "hu": {
        Kind.NEVER: "pl özv ifj id dr prof kb ún ill vö szt gr br u",
        Kind.NUMBER: "sz old tel",
        Kind.STARTER: "kft rt zrt bt krt kr",
        Kind.CAPITAL: "stb",
    },
    "tr": {
        Kind.NEVER: "dr prof doç yrd Av arş uzm op örn bkz sn mah cad Sok alb gen",
        Kind.NUMBER: "no s tel",
        Kind.STARTER: "şti ltd a.ş m.ö m.s",
        Kind.CAPITAL: "vb vs vd",
    },
    "et": {Kind.NEVER: "nt hr pr dr prof s.t st", Kind.NUMBER: "nr lk tel kl", Kind.CAPITAL: "jne jms"},
    "lv": {Kind.NEVER: "piem dr prof t.i", Kind.NUMBER: "nr lpp tālr plkst", Kind.CAPITAL: "utt u.c"},
    "lt": {
        Kind.NEVER: "pvz dr prof t.y g pr a.a p",
        Kind.NUMBER: "nr psl tel val",
        Kind.STARTER: "m d",
        Kind.CAPITAL: "pan kt",
    },
    "sl": {
        Kind.NEVER: "npr t.i oz Ga dr prof mag sv ul g",
        Kind.NUMBER: "št str tel",
        Kind.STARTER: "kr",
        Kind.CAPITAL: "itd ipd",
    },
    "hr": {
        Kind.NEVER: "npr tj tzv dr prof mr sv ul g gđa gđica o",
        Kind.NUMBER: "br str tel čl",
        Kind.STARTER: "god kr n.e",
        Kind.CAPITAL: "itd sl",
    },
    "ro": {
        Kind.NEVER: "dl d-l dna d-na dr prof ing sf str de.ex cca",
        Kind.NUMBER: "nr pag art tel",
        Kind.STARTER: "jr",
        Kind.CAPITAL: "etc ș.a",
    },
    "ca": {
        Kind.NEVER: "sr sra dr dra prof p.ex av c",
        Kind.NUMBER: "núm pàg art tel",
        Kind.STARTER: "s.a",
        Kind.CAPITAL: "etc",
    },
    "vi": {Kind.NEVER: "tp gs ts ths bs pgs ks tx q p vd", Kind.NUMBER: "số tr đt", Kind.CAPITAL: "v.v"},
    "id": {
        Kind.NEVER: "dr drs prof ir jl kh hj st sdr sdri yth a.n u.p",
        Kind.NUMBER: "no hlm tel",
        Kind.STARTER: "tbk",
        Kind.CAPITAL: "dll dsb dst",
    },
    "tl": {Kind.NEVER: "g gng bb dr dra atty engr hal", Kind.NUMBER: "blg", Kind.CAPITAL: "atbp"},
    "ru": {
        Kind.NEVER: """т н т.е т.к т.н ул просп пер пл пр наб бул проф доц акад гр тов св напр ср гос
            исп ген кап лейт инж дир зам о с""",
        Kind.NUMBER: "стр рис гл табл тел п ст пп №",
        Kind.STARTER: "им см в вв млн млрд тыс руб коп ч мин сек р экз",
        Kind.CAPITAL: "д п э т.д т.п н.э пр др",
        Kind.DATED: "г гг",
    },
    "uk": {
        Kind.NEVER: "т н т.е т.зв вул ім просп пл проф доц акад гр тов св напр див ср ген о с",
        Kind.NUMBER: "стор рис гл табл тел ст",
        Kind.STARTER: "млн млрд тис грн коп год хв сек ст",
        Kind.CAPITAL: "д п ін т.д т.п н.е е",
        Kind.DATED: "р рр",
    },
    "bg": {
        Kind.NEVER: "проф доц акад св ул бул инж ген напр вж т.е т.нар",
        Kind.NUMBER: "стр чл тел",
        Kind.STARTER: "млн млрд хил лв ст в г",
        Kind.CAPITAL: "т.н др н.е",
    },
    "sr": {
        Kind.NEVER: "нпр тј тзв др проф мр св ул npr tj tzv prof sv ul g г",
        Kind.NUMBER: "бр стр br str",
        Kind.STARTER: "год god kr",
        Kind.CAPITAL: "итд itd",
    },
    "el": {
        Kind.NEVER: "κ κα κος κυρ δρ καθ π.χ δηλ βλ λ.χ αγ",
        Kind.NUMBER: "αρ σελ τηλ",
        Kind.STARTER: "α.ε π.μ μ.μ χλμ",
        Kind.CAPITAL: "κ.λπ κτλ κλπ κ.ά",
    },
    "ar": {Kind.NEVER: "د أ م ا.د أ.د", Kind.NUMBER: "ص ج ت رقم"},
    "he": {Kind.NEVER: "גב פרופ דר", Kind.NUMBER: "עמ טל"},
    "ur": {Kind.NEVER: "ڈاکٹر پروفیسر", Kind.NUMBER: "ص نمبر"},
    "hi": {
        Kind.NEVER: "श्री डॉ डा प्रो पं मि कु स्व मो सु सुश्री श्रीमती इं ब्रि कै एड उदा स लि",
        Kind.NUMBER: "रु सं पृ क्र नं फो",
    },
    "mr": {
        Kind.NEVER: "श्री सौ डॉ डा प्रा पं कु कै मा उदा अॅड ॲड",
        Kind.NUMBER: "रु क्र पृ इ सं",
    },
    "ne": {Kind.NEVER: "श्री डा प्रा पं", Kind.NUMBER: "रु नं पृ"},
    "bn": {Kind.NEVER: "ডঃ ডা ড মি মো মোঃ প্রফেসর শ্রী", Kind.NUMBER: "পৃ নং"},
    "pa": {Kind.NEVER: "ਡਾ ਸ੍ਰ ਸ੍ਰੀ ਪ੍ਰੋ ਸ", Kind.NUMBER: "ਰੁ ਨੰ"},
    "gu": {Kind.NEVER: "ડૉ ડો શ્રી પ્રો સ્વ કુ", Kind.NUMBER: "રૂ નં પૃ"},
    "or": {Kind.NEVER: "ଡଃ ଡା ଶ୍ରୀ ପ୍ରୋ", Kind.NUMBER: "ଟ ନଂ"},
    "ta": {
        Kind.NEVER: "டாக்டர் டாக் திரு திருமதி பேரா செல்வி இரா",
        Kind.NUMBER: "ரூ பக் எண்",
    },
    "te": {Kind.NEVER: "డా డాక్టర్ శ్రీ ప్రొ", Kind.NUMBER: "రూ నెం పే"},
    "kn": {Kind.NEVER: "ಡಾ ಶ್ರೀ ಪ್ರೊ", Kind.NUMBER: "ರೂ ನಂ ಪು"},
    "ml": {Kind.NEVER: "ഡോ ശ്രീ പ്രൊഫ അഡ്വ", Kind.NUMBER: "രൂ നമ്പർ പേ"},
    "th": {
        Kind.NEVER: "ดร นพ พญ รศ ผศ ศ พล พ.ต.อ พล.อ จ อ ต ถ ซ ม ร",
        Kind.NUMBER: "พ.ศ ค.ศ โทร",
        Kind.STARTER: "น กม ซม มม กก ฯลฯ",
    },
}
_SAME = {"nb": "no", "nn": "no", "bs": "hr", "ms": "id", "gl": "pt", "be": "ru", "kok": "mr", "mai": "hi"}
"""Languages that abbreviate as a neighbour does."""


def _table(rows: dict[Kind, str]) -> dict[str, Kind]:
    return {word: kind for kind, words in rows.items() for word in words.split()}


_COMMON = _table(_EVERYWHERE)
_KINDS = {language: _table(rows) for language, rows in _TABLES.items()}


def kind_of(word: str, language: str) -> Kind | None:
    """Return what the full stop of a word (written without it) may do; None if it is no abbreviation.

    In a text in other letters a Latin word is read as English.
    """
    table = _KINDS.get(_SAME.get(language, language), {})
    bare = word.replace("’", "'").rpartition("'")[2]
    found = _look_up(bare, table)
    if found is None and bare.isascii():
        other = _KINDS["en"] if _is_in_other_letters(table) else _COMMON
        found = _look_up(bare, other)
    return found


def _look_up(word: str, table: dict[str, Kind]) -> Kind | None:
    if len(word) == 1 or word in table:
        # A capital alone is an initial, whatever the small letter stands for.
        return table.get(word)
    capital = word[:1].isupper()
    return table.get(word.casefold()) or (table.get(word[:1] + word[1:].casefold()) if capital else None)


def _is_in_other_letters(table: dict[str, Kind]) -> bool:
    return bool(table) and not any(word.isascii() for word in table)

"""Words that start sentences, by language (ISO 639-1): pronouns, articles, questions. Plain tables.

A capital on one of them says that a sentence starts; in a script without capitals the word alone does.
Words that are also names (`Will`, `May`) do not stand here.
"""

# ruff: noqa: RUF001 - the letters of many scripts are meant here, not mistyped Latin.

from __future__ import annotations

__all__ = ["starts_sentence"]

_STARTERS = {
    language: frozenset(words.split())
    for language, words in {
        "en": """i you he she it we they this that these those there here the a an my your his her its our
            their but and or so then when where what who why how if because after before while although
            now yes no not nobody everybody everyone somebody someone nothing everything all some any every
            each both many most one in on at for from with as is are was were do does did don't have has had
            can could would should let's let please ask be never maybe perhaps""",
        "de": """ich du er sie es wir ihr das die der den dem des ein eine einen einem mein meine dein deine
            sein seine ihre unser unsere dies diese dieser dieses und aber oder denn dann danach daher da
            hier dort heute morgen gestern jetzt nun wenn weil als was wer wie wo warum wann niemand alle
            man nicht kein keine ja nein auch so es's bald später""",
        "fr": """je tu il elle on nous vous ils elles ce c'est cela ça cet cette ces le la les l un une des
            mon ma mes ton ta tes son sa ses notre votre leur mais et ou donc alors puis quand où que qui
            quoi comment pourquoi si oui non personne tout tous dans pour ici maintenant""",
        "es": """yo tú él ella nosotros ellos ellas usted ustedes esto eso este esta ese esa el la los las un
            una mi tu su nuestro pero y o entonces luego después cuando donde qué quién cómo cuándo dónde por
            si sí no nadie todo todos en ahora aquí le lo se me te nos son es hay""",
        "pt": """eu tu ele ela nós eles elas você vocês isto isso este esta esse essa o a os as um uma meu
            minha seu sua mas e ou então depois quando onde que quem como por se sim não ninguém tudo todos
            em agora aqui é foi""",
        "it": """io tu lui lei noi voi loro egli questo questa quello quella il lo la i gli le l un una uno
            mio mia suo sua ma e o allora poi quando dove che chi come perché se sì no nessuno tutto tutti
            in ora qui sono è""",
        "nl": """ik jij je hij zij ze het we wij jullie u dit dat deze die de een mijn zijn haar ons onze
            maar en of dan toen daarna als wanneer waar wat wie hoe waarom ja nee niemand alles iedereen
            er hier nu""",
        "sv": """jag du han hon den det vi ni de denna detta en ett min din hans hennes men och eller sedan
            då när var vad vem hur varför om ja nej ingen alla här nu""",
        "da": """jeg du han hun den det vi i de denne dette en et min din hans hendes men og eller så da
            når hvor hvad hvem hvordan hvorfor hvis ja nej ingen alle her nu""",
        "no": """jeg du han hun den det vi dere de denne dette en et min din hans hennes men og eller så da
            når hvor hva hvem hvordan hvorfor hvis ja nei ingen alle her nå""",
        "fi": "minä sinä hän se me te he ne tämä tuo mutta ja tai sitten kun missä mikä kuka miten miksi jos",
        "pl": "ja ty on ona ono my wy oni one to ten ta te ale i a lub potem kiedy gdzie co kto jak czy nie",
        "cs": "já ty on ona ono my vy oni to ten ta ty ale a nebo pak potom když kde co kdo jak proč ne ano",
        "hu": "én te ő mi ti ők ez az a de és vagy aztán amikor hol mi ki hogyan miért ha igen nem",
        "tr": "ben sen o biz siz onlar bu şu bir ama ve veya sonra ne kim nasıl neden evet hayır",
        "ru": """я ты он она оно мы вы они это этот эта эти тот та те то но и а или потом затем теперь здесь
            там тут когда где что кто как почему зачем если да нет не все всё никто ничего мой моя его её
            их наш ваш у""",
        "uk": """я ти він вона воно ми ви вони це цей ця ці той але і й а або потім тепер тут там коли де що
            хто як чому якщо так ні не всі все ніхто мій його її їх""",
        "el": "εγώ εσύ αυτός αυτή αυτό εμείς εσείς αυτοί ο η το οι τα ένας μία αλλά και ή τότε πού τι ποιος",
        "hi": """मैं मैंने मुझे तू तुम तुमने तुम्हें आप आपने हम हमने हमें वह वो वे उसने उन्होंने उसे उन्हें
            यह ये इसने
            इन्होंने फिर लेकिन पर मगर और क्या क्यों कब कहाँ कहां कौन कैसे सब सबने कुछ कोई अब तब आज कल हाँ
            हां नहीं
            यहाँ वहाँ""",
        "mr": "मी तू तो ती ते आम्ही तुम्ही त्याने तिने त्यांनी हा ही हे पण आणि मग काय का कोण कुठे कसे आता",
        "bn": "আমি তুমি আপনি সে তিনি আমরা তারা এটা এই কিন্তু আর এবং তারপর কি কে কেন কোথায় সবাই",
        "gu": "હું તું તમે તે તેઓ અમે આ પણ અને પછી શું કોણ ક્યાં કેમ મને તેને",
        "pa": "ਮੈਂ ਤੂੰ ਤੁਸੀਂ ਉਹ ਅਸੀਂ ਇਹ ਪਰ ਅਤੇ ਫਿਰ ਕੀ ਕੌਣ ਕਿੱਥੇ",
        "ta": """நான் நீ நீங்கள் அவன் அவள் அவர் அவர்கள் அது இது நாங்கள் நாம் ஆனால் பிறகு என்ன யார் எங்கே ஏன்
            எப்படி எல்லோரும் இங்கே""",
        "te": "నేను నువ్వు మీరు అతను ఆమె ఆయన వారు వాళ్ళు అది ఇది మేము మనం కానీ తర్వాత ఏమి ఎవరు ఎక్కడ",
        "kn": "ನಾನು ನೀನು ನೀವು ಅವನು ಅವಳು ಅವರು ಅದು ಇದು ನಾವು ಆದರೆ ನಂತರ ಏನು ಯಾರು ಎಲ್ಲಿ",
        "ml": "ഞാൻ നീ നിങ്ങൾ അവൻ അവൾ അവർ അത് ഇത് ഞങ്ങൾ നമ്മൾ പക്ഷേ പിന്നെ എന്ത് ആര് എവിടെ",
    }.items()
}
_SAME = {"nb": "no", "nn": "no", "sk": "cs", "be": "ru", "yue": "zh"}


def starts_sentence(word: str, language: str) -> bool:
    """Return whether a sentence most likely starts with the word, written without marks around it."""
    if word.islower():
        return False
    folded = word.casefold().replace("’", "'")
    words = _STARTERS.get(_SAME.get(language, language), frozenset())
    return folded in words or folded.partition("'")[0] in words

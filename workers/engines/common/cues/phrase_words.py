"""Words that hold a phrase together, by language (ISO 639-1). Plain tables.

They come from the Netflix Timed Text Style Guides (general, English, Hindi: line treatment) and from the
closed word classes of grammars. A language that is not here is broken only by its punctuation.
"""

from __future__ import annotations

__all__ = [
    "AUXILIARIES",
    "DETERMINERS",
    "LINKS",
    "NUMERALS",
    "OPENERS",
    "PARTICLES",
    "POSTPOSITIONS",
    "PREPOSITIONS",
    "RELATIVES",
]


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


def _table(source: dict[str, str]) -> dict[str, frozenset[str]]:
    return {language: _words(listed) for language, listed in source.items()}


DETERMINERS = _table(
    {
        "en": """a an the my your his her its our their this these those some any no every each
        don't doesn't didn't won't wouldn't can't couldn't shouldn't isn't aren't wasn't weren't haven't
        hasn't
        i'm you're he's she's it's we're they're i've you've we've they've i'll you'll he'll she'll
        we'll they'll
        i he she we they of not very too so more most as even still just almost quite rather mr mrs ms
        dr""",
        "de": """der die das den dem des ein eine einen einem einer eines mein dein sein ihr unser euer kein
        keine ist sind war waren wird werden wurde wurden hat haben hatte hatten kann können muss soll
        will nicht sehr ich du er sie es wir""",
        "fr": """le la les l' un une des du de d' mon ma mes ton ta tes son sa ses notre nos votre vos leur
        leurs ce cet cette ces je tu il elle on nous vous ils elles ne est sont était étaient été a ont
        avait avaient peut très""",
        "es": """el la los las un una unos unas de del al mi tu su mis tus sus nuestro nuestra
        este esta ese esa no se me te le lo es son era eran fue fueron ha han había habían puede muy yo
        él ella ellos ellas nosotros hasta incluso""",
        "pt": """o a os as um uma uns umas de do da dos das ao aos à às meu minha seu sua este esta esse
        essa
        não se me te lhe é são era eram foi foram está estão tinha tinham havia ter sido pode muito eu
        ele ela nós eles elas você vocês até""",
        "hi": """एक इस उस इन उन किसी हर मेरा मेरी मेरे आपका आपकी आपके हमारा हमारी हमारे नहीं न बहुत श्री
        श्रीमती डॉक्टर""",
        "ur": "ایک اس ان کسی ہر میرا میری میرے آپ ہمارا ہماری ہمارے نہیں نہ بہت ڈاکٹر جناب مسٹر",
        "mr": "एक या त्या हा ही हे",
        "bn": "একটি একজন এই সেই ওই খুব",
        "pa": "ਇੱਕ ਇਕ ਇਸ ਉਸ ਇਹਨਾਂ ਉਹਨਾਂ ਹਰ ਨਹੀਂ ਬਹੁਤ",
        "gu": "એક આ તે દરેક ખૂબ",
        "or": "ଏକ ଏହି ସେହି",
        "ta": "ஒரு இந்த அந்த எந்த மிகவும் மிக",
        "te": "ఒక ఈ ఆ ఏ చాలా",
        "kn": "ಒಂದು ಈ ಆ ಯಾವ ಬಹಳ",
        "ml": "ഒരു ഈ ആ ഏത് വളരെ",
    }
)
"""Articles, pronouns before their verb, auxiliaries, words of degree: they stay with the word after them."""

AUXILIARIES = _table(
    {
        "en": """is are was were be been being am will would can could shall should may might must do
        does did
        have has had you it""",
        "es": """pueden podía podían podría podrían debe deben debía debería deberían va van iba iban iría
        quiere quieren quería suele""",
        "fr": """peux peuvent pouvait pouvaient pourrait pourraient doit doivent devait devrait devraient va
        vont allait allaient veut veulent voulait voudrait""",
        "pt": """podem podia podiam poderia poderiam deve devem devia deveria deveriam vai vão ia iam iria
        iriam quer querem queria""",
    }
)
"""The same, except before a preposition or a conjunction: `what you can do | for your country`."""

PREPOSITIONS = _table(
    {
        "en": """in on at by for with from into onto about to over under within toward towards upon among
        across along inside outside since via despite near against behind between during through without""",
        "de": "zu zum zur in im an am auf bei mit von vom für aus nach über unter um ohne gegen seit",
        "fr": "à au aux en dans sur pour par avec sans sous vers chez entre",
        "es": "a en con por para sin sobre entre desde",
        "pt": "em no na nos nas com por pelo pela para sem sobre entre desde",
    }
)
"""They too stay with the word after them; a line may begin with one."""

POSTPOSITIONS = _table(
    {
        "hi": """ने को से में पर का के की तक है हैं था थी थीं थे हो हों हूँ हूं दें लें दीं लीं गा गे गी वाला वाली वाले भी ही तो
        लिए साथ बाद
        पहले बारे द्वारा कर रहा रही रहे गया गई गए जाता जाती जाते जाना जाए सकता सकती सकते चुका चुकी चुके
        दिया दी दिए लिया ली होता होती होते हुआ हुई हुए चाहिए""",
        "ur": """نے کو سے میں پر کا کے کی تک ہے ہیں تھا تھی تھے ہو ہوں بھی ہی تو لیے لئے ساتھ بعد ذریعہ کر
        رہا رہی رہے گیا گئی گئے جاتا جاتی جاتے سکتا سکتی سکتے چکا چکی چکے دیا دی دیے لیا ہوتا ہوتی ہوتے ہوا
        ہوئی ہوئے چاہیے""",
        "mr": "आहे आहेत होता होती होते नाही साठी मध्ये वर",
        "bn": "জন্য সঙ্গে সাথে থেকে পর্যন্ত দিয়ে মধ্যে পরে কাছে উপর ছিল ছিলেন হয় হয়েছে আছে না নি",
        "pa": "ਨੇ ਨੂੰ ਤੋਂ ਵਿੱਚ ਵਿਚ ਦਾ ਦੇ ਦੀ ਦੀਆਂ ਤੇ ਨਾਲ ਲਈ ਤੱਕ ਹੈ ਹਨ ਸੀ ਸਨ ਵੀ ਹੀ ਰਿਹਾ ਰਹੀ ਰਹੇ ਗਿਆ ਗਈ ਗਏ",
        "gu": """માટે સાથે છે છીએ છું છો હતો હતી હતું હતા હશે થી માં પર નો ની નું ના ને દ્વારા પછી પહેલા
        સુધી જ પણ
        શકે રહ્યા રહી રહ્યો રહ્યું નથી""",
        "or": "ପାଇଁ ସହିତ ଠାରୁ ଉପରେ ମଧ୍ୟରେ ଅଛି ଅଛନ୍ତି ଥିଲା ଥିଲେ ନାହିଁ",
        "ta": """என்று என்ற என்பது என எனும் உள்ள உள்ளது உள்ளன இருந்து மீது பற்றி குறித்து வரை போல போன்ற
        முன் பின் பிறகு
        மூலம் இல்லை வேண்டும் முடியும்""",
        "te": "అని అనే కోసం నుండి నుంచి వరకు గురించి ద్వారా మీద తో కు యొక్క ఉంది ఉన్నాయి ఉన్నారు కాదు లేదు",
        "kn": "ಎಂದು ಎಂಬ ಗಾಗಿ ಮೂಲಕ ಬಗ್ಗೆ ವರೆಗೆ ನಂತರ ಇದೆ ಇವೆ ಅಲ್ಲ ಇಲ್ಲ",
        "ml": "എന്ന് എന്ന എന്നും വേണ്ടി നിന്ന് കുറിച്ച് വരെ ശേഷം മുമ്പ് ആണ് ഉണ്ട് അല്ല ഇല്ല",
    }
)
"""Postpositions, auxiliaries after their verb, quoting particles: they stay with the word before them."""

LINKS = _table(
    {
        "hi": "का के की वाला वाली वाले",
        "ur": "کا کے کی والا والی والے",
        "mr": "चा ची चे च्या",
        "pa": "ਦਾ ਦੇ ਦੀ ਦੀਆਂ",
        "gu": "નો ની નું ના",
        "ta": "என்ற எனும் உள்ள போன்ற",
        "te": "అనే యొక్క",
        "kn": "ಎಂಬ",
        "ml": "എന്ന",
    }
)
"""The genitives and relatives among the postpositions: their noun follows; the others end a phrase."""

OPENERS = _table(
    {
        "en": """and but or nor because that which who whom whose what how why when while if whether unless
        until although though where than after before""",
        "de": "und aber oder weil dass daß wenn während ob der die das denn sondern wie was wer wo",
        "fr": "et mais ou parce que qui quand si lorsque où donc car dont comme combien comment",
        "es": "y e pero o porque que quien cuando si aunque donde como qué cómo cuánto cuanto",
        "pt": "e mas ou porque que quem quando se embora onde como quanto",
        "hi": """और लेकिन मगर या क्योंकि कि जो जिस जिसे जिसके जिसकी जिसमें जिन्हें जब अगर यदि तो जबकि तथा
        एवं ताकि बल्कि""",
        "ur": "اور لیکن مگر یا کیونکہ کہ جو جس جب اگر تو جبکہ تاکہ بلکہ",
        "mr": "आणि पण किंवा कारण की जे जेव्हा जर तर",
        "bn": "এবং কিন্তু অথবা বা কারণ যে যিনি যা যখন যদি তাই আর",
        "pa": "ਅਤੇ ਪਰ ਜਾਂ ਕਿਉਂਕਿ ਕਿ ਜੋ ਜਿਸ ਜਦੋਂ ਜੇ",
        "gu": "અને પરંતુ અથવા કારણ કે જે જેઓ જેમ જ્યારે જો તો",
        "or": "ଏବଂ କିନ୍ତୁ ବା କାରଣ ଯେ ଯାହା ଯେତେବେଳେ ଯଦି",
        "ta": "மற்றும் ஆனால் அல்லது ஏனெனில் ஆனாலும் மேலும்",
        "te": "మరియు కానీ లేదా ఎందుకంటే ఇంకా అయితే",
        "kn": "ಮತ್ತು ಆದರೆ ಅಥವಾ ಏಕೆಂದರೆ ಹಾಗೂ",
        "ml": "പക്ഷേ എന്നാൽ അല്ലെങ്കിൽ കാരണം കൂടാതെ",
    }
)
"""Conjunctions and relatives: a line may begin with one and should not end with it."""

RELATIVES = _table(
    {
        "en": "who whom whose which",
        "fr": "qui dont lequel laquelle lesquels lesquelles",
        "es": "quien quienes cuyo cuya cuyos cuyas",
        "pt": "quem cujo cuja cujos cujas",
    }
)
"""They open a clause of their own, `the wizard | who had vanished`, where no comma says so."""

NUMERALS = _table(
    {
        "en": """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
        sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred
        thousand million billion first second third last next same other another many several few both all
        own only such new old good great little big small long young early late high low large""",
        "hi": """दो तीन चार पाँच पांच छह सात आठ नौ दस सौ हज़ार हजार लाख करोड़ पहला पहली पहले दूसरा दूसरी
        दूसरे""",
    }
)
"""Numbers and very common adjectives: their noun follows."""

PARTICLES = _words("de da di du del della van von der den ten ter la le al el bin ibn")
"""Small words inside a name: `Cristina Fernández de Kirchner`."""

"""Phrases that Whisper writes where nobody speaks: the subtitles it learnt from ended with them. Pure.

They come from issues and discussions of openai/whisper and faster-whisper, and are translated if a language's
own form is known. A phrase alone is no reason to remove anything: people say these things too.
"""

# ruff: noqa: RUF001 - the dotless i is Turkish.

from __future__ import annotations

import unicodedata
from functools import lru_cache

__all__ = ["credit_in", "folded"]

_WHOLE = """
thanks for watching | thank you for watching | thank you so much for watching | thank you all for watching
thank you very much for watching | thanks for watching this video | thank you for watching this video
thank you for watching the video | thanks for watching and see you next time | please subscribe
like and subscribe
please like and subscribe | please subscribe to my channel | subscribe to my channel
subscribe to the channel
please subscribe to the channel | don't forget to subscribe | don't forget to like and subscribe
please like share and subscribe | see you in the next video | i'll see you in the next video
see you next time
this is the end of this video | this is the end of the video | the end | to be continued
देखने के लिए धन्यवाद | वीडियो देखने के लिए धन्यवाद | देखने के लिए आपका धन्यवाद | सब्सक्राइब करें
चैनल को सब्सक्राइब करें | हमारे चैनल को सब्सक्राइब करें | कृपया चैनल को सब्सक्राइब करें
लाइक शेयर और सब्सक्राइब करें | वीडियो को लाइक और शेयर करें | पाहिल्याबद्दल धन्यवाद | बघितल्याबद्दल धन्यवाद
चॅनेलला सबस्क्राईब करा | हेर्नुभएकोमा धन्यवाद
دیکھنے کا شکریہ | دیکھنے کے لیے شکریہ | ویڈیو دیکھنے کا شکریہ | چینل کو سبسکرائب کریں
দেখার জন্য ধন্যবাদ | ভিডিওটি দেখার জন্য ধন্যবাদ | চ্যানেলটি সাবস্ক্রাইব করুন | চোৱাৰ বাবে ধন্যবাদ
જોવા બદલ આભાર | વિડિઓ જોવા બદલ આભાર | ચેનલને સબ્સ્ક્રાઇબ કરો | ਦੇਖਣ ਲਈ ਧੰਨਵਾਦ | ਚੈਨਲ ਨੂੰ ਸਬਸਕ੍ਰਾਈਬ ਕਰੋ
ଦେଖିଥିବାରୁ ଧନ୍ୟବାଦ | பார்த்ததற்கு நன்றி | பார்த்தமைக்கு நன்றி | வீடியோவை பார்த்ததற்கு நன்றி
சேனலை சப்ஸ்கிரைப் செய்யுங்கள் | చూసినందుకు ధన్యవాదాలు | వీక్షించినందుకు ధన్యవాదాలు
ఛానెల్ ను సబ్స్క్రైబ్ చేయండి | ನೋಡಿದ್ದಕ್ಕಾಗಿ ಧನ್ಯವಾದಗಳು | ವೀಕ್ಷಿಸಿದ್ದಕ್ಕಾಗಿ ಧನ್ಯವಾದಗಳು
കണ്ടതിന് നന്ദി | വീഡിയോ കണ്ടതിന് നന്ദി | නැරඹුවාට ස්තූතියි
ご視聴ありがとうございました | ご視聴ありがとうございます | ご清聴ありがとうございました
最後までご視聴いただきありがとうございました | 最後までご視聴ありがとうございました
ご覧いただきありがとうございます
チャンネル登録お願いします | チャンネル登録をお願いします | 高評価とチャンネル登録をお願いします
チャンネル登録よろしくお願いします | 次の動画でお会いしましょう | 次回予告
谢谢观看 | 謝謝觀看 | 感谢观看 | 感謝觀看 | 谢谢大家观看 | 謝謝大家觀看 | 多谢观看 | 感谢您的观看
感謝您的觀看
感谢收看 | 感謝收看 | 谢谢收看 | 謝謝收看 | 请订阅我的频道 | 請訂閱我的頻道 | 多謝收睇
多謝您收看時局新聞再會
请不吝点赞订阅转发打赏支持明镜与点点栏目 | 請不吝點贊訂閱轉發打賞支持明鏡與點點欄目
시청해 주셔서 감사합니다 | 시청해 주셔서 고맙습니다 | 구독과 좋아요 | 구독과 좋아요 부탁드립니다
구독 좋아요 알림 설정 부탁드립니다 | 다음 영상에서 만나요
gracias por ver | gracias por ver el video | gracias por ver el vídeo | gracias por ver este video
muchas gracias por ver el video | suscríbete | suscríbete al canal | no olvides suscribirte
hasta el próximo video
obrigado por assistir | obrigada por assistir | obrigado por assistir ao vídeo | inscreva-se no canal
até o próximo vídeo | até ao próximo vídeo | se inscreva no canal
merci d'avoir regardé | merci d'avoir regardé cette vidéo | merci d'avoir regardé la vidéo | abonnez-vous
n'oubliez pas de vous abonner | à la prochaine vidéo
danke fürs zuschauen | danke für's zuschauen | vielen dank fürs zuschauen | vielen dank für's zuschauen
vielen dank für die aufmerksamkeit | bis zum nächsten video | abonniert den kanal | abonniert meinen kanal
grazie per aver guardato | grazie per aver guardato il video | grazie per la visione | iscrivetevi al canale
bedankt voor het kijken | bedankt om te kijken | abonneer je op dit kanaal
спасибо за просмотр | спасибо за внимание | продолжение следует | подписывайтесь на канал
подписывайтесь на мой канал | подписывайтесь на наш канал | ставьте лайки и подписывайтесь на канал
дякую за перегляд | дякуємо за перегляд | підписуйтесь на канал | благодаря за гледането | хвала што пратите
dziękuję za oglądanie | dziękuję za obejrzenie | dzięki za oglądanie | subskrybuj kanał
izlediğiniz için teşekkür ederim | izlediğiniz için teşekkür ederiz | izlediğiniz için teşekkürler
abone olmayı unutmayın | videoyu izlediğiniz için teşekkür ederim
شكرا على المشاهدة | شكرا للمشاهدة | شكرا لكم على المشاهدة | اشتركوا في القناة | لا تنسوا الاشتراك في القناة
ممنون که تماشا کردید | با تشکر از تماشای شما | תודה על הצפייה | תודה שצפיתם | תודה רבה על הצפייה
terima kasih telah menonton | terima kasih sudah menonton | terima kasih kerana menonton
jangan lupa subscribe
cảm ơn các bạn đã theo dõi | cảm ơn các bạn đã xem | cảm ơn đã xem
hẹn gặp lại các bạn trong những video tiếp theo
ขอบคุณที่รับชม | ขอบคุณที่รับชมครับ | ขอบคุณที่รับชมค่ะ | ขอบคุณที่ติดตาม | salamat sa panonood
ευχαριστώ που παρακολουθήσατε | ευχαριστούμε που παρακολουθήσατε
tack för att ni tittade | tack för att du tittade | tack för att ni har tittat | takk for at du så på
takk for at dere så på | tak fordi du så med | tak fordi i så med | kiitos kun katsoitte
kiitos katsomisesta
děkujeme za sledování | děkuji za sledování | ďakujem za pozornosť | köszönöm, hogy megnézted
köszönöm, hogy megnéztétek | vă mulțumim pentru vizionare | mulțumesc pentru vizionare | hvala što pratite
hvala za gledanje | gràcies per veure el vídeo | asante kwa kutazama
"""
_STARTS = """
subtitles by | subtitled by | subtitles provided by | subtitles made by | subtitle by | captions by
captioned by
captioning by | caption by | closed captions by | transcribed by | transcription by | transcript by
translation by
उपशीर्षक | सबटाइटल्स | সাবটাইটেল | வசன வரிகள் | ఉపశీర్షికలు | ترجمة نانسي | ترجمة وتدقيق | زیرنویس
字幕by | 字幕 | 字幕製作 | 字幕由 | 字幕志愿者 | 字幕志願者 | 中文字幕 | 자막 제공 | 자막 by | 한글자막
subtítulos por | subtítulos realizados por | subtítulos creados por | subtítulos de | legendas por
legendas pela
legendado por | sous-titrage | sous-titres | sous-titré par | untertitel von | untertitel der
untertitel im auftrag
untertitelung | untertitel | sottotitoli | sottotitolato da | ondertiteld door | ondertiteling | ondertitels
субтитры | редактор субтитров | субтитри | napisy stworzone przez | napisy wykonane przez | napisy | altyazı
υπότιτλοι | undertexter | undertexter av | textning | teksting av | tekstet av | undertekster av
undertekster af
danske tekster af | tekstitys | titulky vytvořil | titulky | feliratok | felirat | subtitrarea | titlovi
כתוביות | hãy subscribe cho kênh | hãy đăng ký kênh | คำบรรยายโดย
"""
_HOLDS = """
amara.org | opensubtitles | www | http | https | castingwords | svensktextning | 明镜与点点 | 明鏡與點點
"""

_MOST_WORDS_AFTER = 8
"""After `Subtitles by` come a name, a company, a year; a longer sentence only begins like a credit."""
_MOST_GRAPHEMES_AFTER = 24
"""The same for scripts without spaces between words."""
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "HALFWIDTH KATAKANA", "IDEOGRAPHIC")
"""How Unicode names the characters of scripts without spaces between words."""


def folded(text: str) -> str:
    """Return the text as it is compared: NFC, case folded; letters, their signs, digits and single spaces.

    Letters keep their signs: in Indic scripts the signs are the vowels.
    """
    plain = unicodedata.normalize("NFC", text).casefold().replace("i\u0307", "i")
    kept = (
        character
        if unicodedata.category(character)[0] in "LMN"
        else ""
        if unicodedata.category(character) == "Cf"
        else " "
        for character in plain
    )
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def _listed(table: str) -> tuple[str, ...]:
    return tuple(found for line in table.splitlines() for part in line.split("|") if (found := folded(part)))


_SENTENCES = {sentence.replace(" ", ""): sentence for sentence in _listed(_WHOLE)}
_BEGINNINGS = tuple(sorted(_listed(_STARTS), key=len, reverse=True))
_MARKS = _listed(_HOLDS)


def credit_in(text: str) -> str:
    """Return the phrase that the sentence equals, begins with or contains; empty if there is none."""
    said = folded(text)
    if found := _SENTENCES.get(said.replace(" ", "")):
        return found
    for beginning in _BEGINNINGS:
        if _begins(said, beginning):
            return beginning
    return next((mark for mark in _MARKS if _holds(said, mark)), "")


@lru_cache(maxsize=1024)
def _is_unspaced(phrase: str) -> bool:
    return any(unicodedata.name(character, "").startswith(_UNSPACED) for character in phrase)


def _begins(said: str, phrase: str) -> bool:
    if _is_unspaced(phrase):
        compact, start = said.replace(" ", ""), phrase.replace(" ", "")
        return compact.startswith(start) and len(compact) - len(start) <= _MOST_GRAPHEMES_AFTER
    return f"{said} ".startswith(f"{phrase} ") and len(said[len(phrase) :].split()) <= _MOST_WORDS_AFTER


def _holds(said: str, phrase: str) -> bool:
    if _is_unspaced(phrase):
        return phrase in said.replace(" ", "")
    return f" {phrase} " in f" {said} "

"""Words of every day that people spell in Latin letters in another way than the rules would. Pure.

No word is here that the rules spell so by themselves: a test sees to it.
"""

from __future__ import annotations

__all__ = ["EVERYDAY"]

_TABLE = """
माँ maa|मां maa|यह yeh|वह woh|वो woh|गए gaye|गई gayi|सिंह singh
कुछ kuch|पीछे peeche|पूछ pooch|ज्यादा zyada|ज़रूर zaroor|जरूर zaroor|ज़िंदगी zindagi|जिंदगी zindagi|जिन्दगी zindagi
आवाज aawaz|आवाज़ aawaz|फूल phool|खून khoon|ख़ून khoon|भूल bhool|पूरा poora|पूरी poori|पूरे poore|दूध doodh
वाला wala|वाले wale|वाली wali|वहाँ wahan|वहां wahan|वापस wapas|वक्त waqt|वक़्त waqt|वजह wajah
विश्वास vishwas|ईश्वर ishwar|रुपये rupaye|रुपए rupaye|कह keh|रह reh|कहते kehte|कहता kehta|कहती kehti
पहले pehle|पहला pehla|पहली pehli|बहन behen|शहर shehar|महसूस mehsoos|फिर phir
"""

EVERYDAY = {
    devanagari: latin
    for line in _TABLE.split("\n")
    for entry in line.split("|")
    if entry
    for devanagari, _, latin in (entry.partition(" "),)
}
"""Hindi in Devanagari to Latin letters."""

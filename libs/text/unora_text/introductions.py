"""How people tell their name, in seven languages and some more."""

import re
from typing import Final

import regex

from unora_text.lists import listed

BACKWARDS: Final = re.compile(
    r"ruckwarts|backwards?|reversed?|a l'envers|al reves|al contrario|ao contrario|de tras para"
    r"|achterstevoren|omgekeerd|mirror|spiegel|rovescio|umgedreht|наоборот"
)
_STRONG_INTRO = (
    r"(?:my (?:full |first |real |last )?name(?: is|'s|:)|name(?:'s| is|:)|(?:you can |they |friends "
    r"|everyone |just )?calls? me|known as|aka|a\.k\.a\.?|signed,?|answers? to|named|christened"
    r"|ich heisse|heisse|mein name(?: ist|:)|name(?: ist|:)|nennt? mich|nennen mich|man nennt mich|genannt"
    r"|gestatten,?|grusse von|gruss,?|lg,?|deine?,?"
    r"|je m'appelle|m'appelle|moi c'est|moi,? c'est|mon (?:petit )?(?:nom|prenom)(?: est|, c'est| c'est|:)"
    r"|on m'appelle|appelle(?:z)?-moi|appelez moi|appelle moi|dites|signe,?|prenom ?:?|ici"
    r"|me llamo|mi nombre(?: es|:)|llamame|llamadme|me llaman|me dicen|dime|decidme|firmado,?|firma,?|nombre ?:"
    r"|mi chiamo|il mio nome(?: e|:)|chiamami|chiamatemi|mi chiamano|dimmi|firmato,?|nome ?:"
    r"|me chamo|chamo-me|chama-me|chamem-me|(?:o )?meu nome(?: e|:)|(?:pode |podes )?me chamar?(?: de)?"
    r"|me chama(?:m)?(?: de)?|assinado,?|tratam-me por"
    r"|ik heet|mijn naam(?: is|:)|noem (?:me|mij)|ze noemen me|getekend,?|groetjes,?|liefs,?"
    r"|меня зовут|зовут|меня звать|jmenuji se|nazywam sie|mam na imie|jeg heter|jag heter|jeg hedder|adim"
    r"|ismim|me lene|με λενε|ονομαζομαι)"
)
_INTRO = (
    r"(?:i'm|i am|im|it's|its|this is|hi from|xoxo,?|yours,?|cheers,?|ich bin|bin (?:die|der)|hier ist"
    r"|je suis|soy|soy la|soy el|aqui|sono|sono la|qui|sou|sou o|sou a|aqui e|ik ben|dit is|me,|me:|moi,"
    r"|я)"
)
STRONG_BEFORE: Final = re.compile(rf"\b{_STRONG_INTRO}\W*$")
BEFORE: Final = re.compile(rf"(?:\b{_INTRO}|^\W*[-–—~]|[-–—~]|[.!?…] ?[-–—]) ?$")
AFTER: Final = re.compile(
    r"^(?: here\b| speaking\b|, ?\d{2}\b(?!\d)| ?\(\d{2}\)| mein name| my name| is my name| is the name"
    r"| mi nombre| mon nom| il mio nome| meu nome| mijn naam)"
)
UNSPACED_INTRO: Final = re.compile(r"(?:私は|僕は|俺は|名前は|我叫|我是|叫我|名字是|이름은|나는|저는|我係|名は)$")
UNSPACED_AFTER: Final = re.compile(r"^(?:です|だよ|と申します|といいます|って呼んで|이에요|예요|입니다|라고)")
NAMED: Final = regex.compile(
    r"(?<!\p{L})(?i:my name is|my name's|mein name ist|ich hei(?:ß|ss)e|je m'appelle|me llamo|mi nombre es"
    r"|mi chiamo|il mio nome è|me chamo|(?:o )?meu nome é|chamo-me|ik heet|mijn naam is"
    r"|меня зовут) (\p{Lu}\p{Ll}+)"
)
NO_NAMES: Final = listed(
    "bond earl inigo hase luka ishmael nobody niemand nadie nessuno ninguem personne not lucifer slim khan"
)

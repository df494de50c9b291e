"""Handles, and where to find somebody: on a platform, under a name."""

import re
from typing import Final

from unora_text import platforms
from unora_text.letters import looks_like
from unora_text.reading import Reading, Word

MIN_DISGUISED: Final = 4
_AT_HANDLE = re.compile(r"(?<![^\W_]{1}[.])@ ?[^\W\d_][\w.-]{1,}|@ (?:[^\W_] ){3,}|(?<=[^\W\d_]{2})@[^\W\d_]{2,}")
_AT_PLACES = frozenset(
    "home work the night my school gym noon sunrise sunset dawn midnight sea lunch all once best first last least most heart the"
    " beach uni hause dir mir casa maison work office home's thuis 5am sixam club".split()
)
_UNDERSCORED = re.compile(r"(?<![\w.])(?:[^\W_][\w.-]*_[\w.-]*[^\W_]|_[^\W_]{3,}_?)(?![\w])")
_SNAKES = frozenset("snake_case hello_world foo_bar self_care __init__".split())
_TAGGED = re.compile(r"\w{2,}#\d{3,5}\b|(?<!\w)\$[a-z][a-z0-9]{3,}|\bsw-?\d{4}")
_JOINED = re.compile(platforms.JOINED)
_SPOKEN_SIGNS = re.compile(platforms.SPOKEN_SIGNS)
_HANDLE = re.compile(
    platforms.HANDLE_WORDS
    + r"\b(?: (?:everywhere|everywhere else|uberall|partout|overal|ovunque|em tudo|is|ist|est|es|is|e|era|lautet|naam|name|switch|steam|psn|xbox|nintendo|discord|are all|are|sao|son)){0,3}"
    r" ?(?:[:=→➡👉-]+|is|ist|est|es|e|lautet|are all|are|sao|son) ?@?[\w.]{3,}"
)
_CODE = re.compile(r"\b(?:code|codigo|codice|cod)\b[^\d]{0,20}\d{4,}")
_NICKNAME = re.compile(
    rf"\b{platforms.NICKNAMES}[- ]?{platforms.NETWORK}\b"
    rf"|\b{platforms.NETWORK} (?:{platforms.NICKNAMES}\b|(?:delle |das |dos |de las |de los |des |van de |der |met de |con le |con la )(?:\w+ )?{platforms.NICKNAMES}\b)"
    rf"|\b{platforms.NETWORK} (?:with (?:the|a) |mit (?:dem|der) |al |del |de |dell'|della |do |da |a l'|au |de l'|du |met (?:het|de) |van (?:het|de) |a la |a |met )(?:\w+ )?{platforms.NICKNAMES}\b"
)
_IS = r"(?:i am|i'm|im|ich bin|bin|heiss?e|je suis|j'suis|moi c'est|soy|estoy|me llamo|sono|mi chiamo|sou|me chamo|estou|ik ben|ben ik|heet|sou|bin ich|heisse ich|я)"
_ON = r"(?:on|auf|bei|in|sur|en|su|no|na|op|via|per|über|uber|by|по|в|al|nel|sul|sull'|pelo|pela)"
_UNCLEAR = "|".join(sorted(map(re.escape, platforms.UNCLEAR), key=len, reverse=True))
_ON_UNCLEAR = re.compile(
    rf"\b{_ON} (?:the |le |il |la |l'|o |meu |my |mon )?(?:{_UNCLEAR}) (?:{_IS})\b|\b{_IS} [\w. ]{{2,30}} {_ON} (?:the |le |l'|il )?(?:snap|tele|tg|wa|line|signal|steam|threads|face|whats)\b"
    rf"|\b(?:snap|tele|tg|wa|line|signal|steam|threads|face|whats|app|dm|pm|mp|zap)(?:p?t)? (?:me|mich|moi|mir)\b(?! (?:back|of|the|a|an|up)\b)(?: ?[:,=@]|$| (?:on|at|auf|sur|op|en|unter|nul|[\w.]*[\d_.][\w]*)\b)"
    rf"|{platforms.REACH}(?:[ -](?:me|mich|moi|dich|mir))?(?: (?:over|up|toe|ruhig|gern|gerne))? {_ON} (?:the |le |il |la |l'|o )?(?:{_UNCLEAR})\b(?! ?(?:of|processing))"
    rf"|\b(?:slide into|slid into|rutsch in|chama no|chama na|scrivimi in|stuur een|send a|schick (?:mir )?(?:eine|ne)|envoie(?:-moi)? un|mandame un|manda un|escreve na) (?:my |meine |mes |mis |i miei )?(?:dms?|pms?|mp|pn|direct|inbox|md|privado|privato)\b"
)
_UNCLEAR_NAMED = re.compile(
    rf"(?<![\w'-])(?:{_UNCLEAR})(?: (?:me|id|name|code|tag|da \w+|de \w+|handle|user))? ?(?:[:=→➡👉]|is|->)\s?@?[\w.]*[^\W_][\w.]{{2,}}(?!\s*\w+\s+\w+\s+\w+)"
)
_PLATFORM_SIGNS = re.compile(r"[👻📸📷🐦✈🎮📧💌🕊][\ufe0f]?\s?(?:[:=→]\s?)?@?(?=[\w.]*[\d_.])[^\W\d_][\w.]{3,}")
_POINTING = re.compile(r"^\s*(?:[:=→➡👉»>@/]|->|\.\s|👇|\W{0,3}@)")
_IDENTIFIER = re.compile(r"[^\W\d_]{3,}\d{1,4}|[^\W\d_]+\d+[^\W\d_]+\w*|\w+_\w+|[^\W_]{2,}\.[^\W_]+")
_BIND = re.compile(r"[^\W_]+(?:[^\w\s']{1,2}[^\W_]+)+")
_LEET = (str.maketrans("013456789$@!€+|£", "oieasgtbgsaietil"), str.maketrans("013456789$@!€+|£", "oleasgtbgsaletll"))
_LEET_WORD = re.compile(r"[\w$@!€+|£]+")
_LONG_SURE = frozenset(name for name in platforms.SURE if name.isascii() and len(name) >= 5)
_BROKEN = frozenset(
    "telegramme telegrama instagramme instagrama insta instagram instagramm telegram telegramm whatsapp snapchat facebook messenger onlyfans kakaotalk linkedin tiktok discord".split()
)
_NATURAL_BREAKS = frozenset(
    {
        ("face", "book"),
        ("snap", "chat"),
        ("tik", "tok"),
        ("what", "sapp"),
        ("linked", "in"),
        ("whats", "app"),
        ("dis", "cord"),
    }
)
_SQUASHED = {name.replace("l", "i"): name for name in platforms.SURE if name.isascii()}
_SHORT_CUES = frozenset({"snap", "zap", "whats", "dm", "tele"})
_ALONE = re.compile(
    r"(?:^|[.,;:!?(/|–-] ?)(?:snap|tg|tele|discord|sc|dc|tt|wa|dm|whats|zap|line id|@|at sign|chiocciola|klammeraffe|affenschwanz|arroba|arobase)"
    r" (?!peas?\b|dragons?|fastener|decision|judge?ment|server|bots?|cards?|shots?|sounds?|work|home|night|noon|dawn|sunset|sunrise|lunch|dinner|lenta|er\b|het\b|jij\b)"
    r"[^\W\d_][\w.]{3,}(?=$| ?[,.;!)\n])"
)
_NAMED_ALONE = re.compile(
    r"\b(?:user ?name|user(?!-)|nick(?:name)?|nutzername|benutzername|gebruikersnaam|nome utente|nom d'utilisateur|usuario|gamertag|screenname) (?!friendly)[^\W\d_][\w.]{3,}(?=$| ?[,.;!)])"
    r"|\b(?:line|kakao|wechat|psn|steam|skype|discord|zalo|qq|signal|threema)[ -]?id:? @?[\w.]{4,}"
    r"|(?:[👻📸📷🐦✈]|'gram)\ufe0f? ?[:=→] ?@?[^\W\d_][\w.]{3,}(?=$|,)"
    r"|\bdms? (?:are |is |sind |sont |estan |sono )?(?:open|offen|ouverts?|abiertos?|aperti)\b|\bon the gram\b|\bthe gram:|\b(?:a|un|een|eine|ein|ne|una|um|uma) (?:dm|pm|pn)\b|\b(?:insta|snap|ig|tiktok|discord)[- ]?name\b|\bhmu\b|\b(?:eye|aye|i)[- ]?gee\b|\b(?:bird|ghost|photo|selfie|camera|zuck\w*(?:'s)?|musk's|elon's)[- ](?:thing|thingy|site|place|icon|logo|page)\b|\b(?:the |')tok\b"
    r"|\b(?:hash|hashtag|hash ?sign|raute|diese|almohadilla|cancelletto|hekje|hash tag) ?\d{3,}|\b(?:to|an|a|op|on|via) (?:my|meinen|meine|mein|mon|mi|mes|mis|mijn|meu) (?:dms?|pms?|inbox)\b"
    r"|(?:^|[,:;–-] ?)@?(?!\w+(?:ing|s|ed|en) )[^\W\d_][\w.]{6,} (?:on|auf|bei|sur|op|su|no|en) (?:the |le )?(?:insta|ig|instagram|snap|snapchat|tg|telegram|tiktok|threads|discord|signal)\b|(?<![\w])'gram\b|\bthe gram:|\b(?:i\.g\.?|i g) ?[:=]? ?[a-z][\w.]{3,}$"
)
_TOKEN = r"@?[^\W\d_][\w.]{3,}(?=$| ?[,.;!)])"
_GOES_BY = re.compile(
    rf"{platforms.REACH}(?:[ -](?:me|mich|moi|mir|me))? (?:as|als|comme|sous|como|come|unter|under|onder|por|by|under the name|unter dem namen|con el nombre|sotto|met de naam|sous le nom(?: de)?) {_TOKEN}"
    rf"|\b(?:i go by|online i'm|online i am|online as|im netz|im internet|online|sur le net|sur internet|en internet|en las redes|en redes|nas redes|sui social|sulle reti|op internet|op de socials|in rete)"
    rf" (?:bin ich |heiss ich |heisse ich |je suis |soy |sono |sou |ben ik |heet ik |i'm |i am |como |come |as |als )?{_TOKEN}"
    rf"|\b(?:my|mein|meinen|mon|mi|il mio|meu|mijn|minha|la mia|a minha) (?:account|profile?|cuenta|perfil|compte|profilo|conta|tag|nick|nickname|user|@|at|alias|insta\w*|ig|handle)(?: (?:is|ist|est|es|e|heisst|lautet|se llama|s'appelle|si chiama|se chama|heet))?:? {_TOKEN}"
    rf"|\b(?:account|profil|perfil|cuenta|compte|profilo|konto|blog|channel|kanal|canal|podcast|shop|etsy|site|website|homepage|webseite): ?{_TOKEN}"
    rf"|\b(?:on|auf|sur|en|su|em|op|across|nas|in) (?:all|allen|tous|toutes|todas|tutti|tutte|alle|every|my)(?: (?:the|les|las|i|gli|as|meus|meinen|my|mijn))? (?:other )?(?:platforms?|apps?|socials?|kanalen|netzwerken|plattformen|reseaux|redes|social|sites|media)\b"
    rf"|\b(?:link (?:is )?in (?:my |the )?bio|link (?:nella|na|en la|en|in der|in de) bio|lien (?:en|dans la) bio)\b"
    rf"|\b(?:follow|folgt|suivez|seguid|seguite|sigam|volg|add|adde|agrega|ajoute|aggiungi|adiciona) [^\W\d_]{{7,}} (?:for more|everywhere|uberall|partout|ovunque|overal|online|auf|on)\b"
)
_I_AM_ON = re.compile(rf"\b{_IS} (?:\w+ )?[\w.]+ (?:{_ON}|sull'|sur l'|nell') ?$")
_BLUE_BIRD = re.compile(
    rf"\b(?:oiseau bleu|pajarito|pajaro azul|uccellin\w+(?: azzurro| blu)?|passarinho|(?:blauwe )?vogeltje|blaue[rnsm]? (?:vog\w+|piepmatz)|blue ?bird|fantomino|fantasmino|fantasmita|fantasminha|petit fantome|spookje)\b"
    rf"(?=.*(?:[:=→]|\b(?:me|mich|moi|je suis|soy|sono|sou|ben ik|ik ben|bin ich|ich bin|i'm|i am|mi)\b|[^\W\d_]{{4,}}\d))"
    rf"|\b(?:geister|foto|vogel|kamera|flieger|papierflieger|bilder|photo|camera|ghost|bird|video|tanz|musik)-?(?:app|apps|netzwerk|plattform|portal|appje|app'?je)\b"
    rf"|\bwhere the (?:birds?|ducks?) tweets?\b|\b{_ON} (?:x|xis|equis|ics|ix)\b(?:[,:=]| (?:{_IS}|as|als|comme|come|como)\b)|\b{_IS} [\w.]{{4,}} {_ON} (?:x|xis|equis)\b|(?:^|[,;] ?)(?:x|tt|yt) ?[:=] ?@?[^\W\d_][\w.]{{4,}}"
    rf"|\b(?:frag|ask|demande|pregunta|chiedi|pergunta|vraag|such|search|busca|cerca)\w* (?:\w+ )?(?:{_UNCLEAR})\b"
)
_FOREIGN_SURE = tuple(name for name in platforms.SURE | platforms.UNCLEAR if not name.isascii() and len(name) > 1)
_HAMMERED = re.compile(
    r"\b(?:google|googel|googelt|googele|googla|googlea|googlez|look up|search) (?:me|my name|mich|meinen namen|mon nom|mi nombre|il mio nome|mijn naam|o meu nome|meu nome)\b"
    r"|\b(?:tape|cherche|busca|cerca|procura|zoek|such|suche?t?) [\w' -]{3,40} (?:sur|en|su|no|op|auf|bei|in) google\b|\bsame (?:name|handle|@) (?:on|everywhere)\b"
)


def has_handle(reading: Reading) -> bool:
    """Whether a text tells a handle, or on which platform its author is."""
    low = reading.low
    return (
        _has_sign(low)
        or bool(_SPOKEN_SIGNS.search(low) or _HAMMERED.search(low) or _ON_UNCLEAR.search(low))
        or bool(_HANDLE.search(low) or _NICKNAME.search(low) or _PLATFORM_SIGNS.search(low))
        or bool(_ALONE.search(low) or _NAMED_ALONE.search(low) or _GOES_BY.search(low) or _BLUE_BIRD.search(low))
        or _is_named_unclear(low)
        or _names_foreign(low)
        or _names_platform(reading)
        or _hides_platform(reading)
    )


def _has_sign(low: str) -> bool:
    if any(match[0] not in _SNAKES for match in _UNDERSCORED.finditer(low)) or _TAGGED.search(low):
        return True
    for match in _AT_HANDLE.finditer(low):
        word = match[0].lstrip("@ ").rstrip(".-")
        if match[0].startswith("@ ") and match[0].count(" ") == 1 and not _IDENTIFIER.search(word):
            continue
        if word not in _AT_PLACES:
            return True
    return bool(_CODE.search(low) and re.search(r"steam|switch|nintendo|friend|freund|ami\b|amig|amic|vriend", low))


def _is_named_unclear(low: str) -> bool:
    return any(True for _ in _UNCLEAR_NAMED.finditer(low))


def _names_foreign(low: str) -> bool:
    """Whether a platform is named in a script without spaces, beside something in Latin letters."""
    return not low.isascii() and any(name in low for name in _FOREIGN_SURE) and bool(re.search(r"[a-z][\w.]{2,}", low))


def _names_platform(reading: Reading) -> bool:
    """Whether a platform is named and what stands beside it leads to the author there."""
    words = reading.words
    for at, word in enumerate(words):
        sure = word.low in platforms.SURE or (at + 1 < len(words) and (word.low, words[at + 1].low) in _NATURAL_BREAKS)
        if not sure and word.low not in platforms.UNCLEAR:
            continue
        if _leads(reading, at, sure):
            return True
    return False


def _leads(reading: Reading, at: int, sure: bool) -> bool:
    words, word = reading.words, reading.words[at]
    after = reading.low[word.end :]
    following = words[at + 1] if at + 1 < len(words) else None
    if following and (word.low, following.low) in _NATURAL_BREAKS:
        after = reading.low[following.end :]
        following = words[at + 2] if at + 2 < len(words) else None
    identified = any(_IDENTIFIER.search(each) for each in re.split(r"\s", _without_units(reading)) if each)
    if not sure:
        near = re.match(r"\W{0,3}@?([\w.]+)", after)
        return (
            bool(near and _is_identifier(near[1].strip(".")))
            and reading.low[max(0, word.start - 1) : word.start] != "-"
        )
    if identified:
        return True
    before = [each.low for each in words[max(0, at - 6) : at]]
    if _JOINED.search(reading.low):
        return True
    if _is_left(before, [each.low for each in words[at + 1 : at + 3]]):
        return False
    if _POINTING.match(after) and following:
        return True
    beside = [*before, *(each.low for each in words[at + 1 : at + 4] if each.low not in _OBJECTS)]
    if following and following.low in _OBJECTS and re.match(r"\W*\w+(?: ?[,.!:]|$| (?:at|on|unter|als|as|auf|a|sur|op)\b)", after):
        return True
    if not platforms.POINTERS.isdisjoint(beside) and not _only_topic(
        before, following
    ):
        return True
    if _I_AM_ON.search(reading.low[: word.start]):
        return True
    if following is None or following.low in platforms.NOUNS or len(following.low) < 2:  # noqa: PLR2004
        return bool(re.search(platforms.REACH, reading.low[: word.start]))
    gap = reading.low[word.end : following.start]
    clause = re.split(r"[,;.!?()–]", reading.low[following.start :], maxsplit=1)[0].split()
    if re.search(r"[?!.]", gap) or _is_topical(word.low):
        return len(clause) == 1 or (len(clause) == 2 and not re.search(r"[?!.]", gap))  # noqa: PLR2004
    return ("-" not in gap or word.low == "ig") and (len(clause) <= 6 or word.low in ("insta", "ig"))  # noqa: PLR2004


_OBJECTS = frozenset("me mich mir moi mi my mein mon mij mio meu minha".split())


def _is_topical(platform: str) -> bool:
    return platform in platforms.MEDIA


def _is_left(before: list[str], after: list[str]) -> bool:
    """Whether the words around the name of a platform say that the author is not there."""
    near = set(before[-3:])
    if "no" in near and not platforms.POINTERS.isdisjoint(before):  # "on the", in Portuguese
        near.remove("no")
    return not platforms.TOPIC.isdisjoint(near | set(after))


def _only_topic(before: list[str], following: Word | None) -> bool:
    return bool(
        following
        and following.low in platforms.NOUNS
        and not {"me", "mich", "moi", "my", "mein", "mon", "mi", "mio", "meu", "mijn"} & set(before[-2:])
    )


_UNIT_TOKEN = re.compile(r"\b(?:\d+[a-z]{1,3}|[a-z]{1,2}\d{1,3})\b")


def _without_units(reading: Reading) -> str:
    return _UNIT_TOKEN.sub(" ", reading.low)


def _is_identifier(word: str) -> bool:
    return bool(_IDENTIFIER.fullmatch(word) or "_" in word or (re.search(r"\w\.\w\w", word)))


def _hides_platform(reading: Reading) -> bool:
    """Whether the name of a platform stands there in disguise: nobody disguises a topic."""
    low, raw = reading.low, reading.raw
    for word in reading.words:
        if word.low in platforms.HIDDEN and word.low not in raw:
            return True
        if not reading.plain and word.low not in raw and any(name in word.low for name in _LONG_SURE):
            return True
        if not reading.plain and word.low in _SHORT_CUES and word.low not in raw:
            return True
        if not word.low.isascii() and _is_lookalike(word.low):
            return True
        if len(word.low) >= 5 and (back := word.low[::-1]) in _BROKEN and back not in raw:  # noqa: PLR2004
            return True
        if (
            word.low not in platforms.SURE
            and word.low[:1] in "l1i"
            and _SQUASHED.get(word.low.replace("l", "i").replace("1", "i"), "")[:5] in ("insta", "ig")
        ):
            return True
    return _hides_in_leet(low) or _is_broken(reading)


def _is_lookalike(word: str) -> bool:
    seen = "".join(map(looks_like, word))
    return seen.isascii() and seen in platforms.HIDDEN and len(seen) >= MIN_DISGUISED


def _hides_in_leet(low: str) -> bool:
    for match in _LEET_WORD.finditer(low):
        token = match[0].rstrip("!")
        if len(token) < MIN_DISGUISED or token.isalpha() or not any(map(str.isalpha, token)):
            continue
        for table in _LEET:
            word = token.translate(table)
            if word in platforms.HIDDEN or (word in _SHORT_CUES and token[-1:].isalpha()):
                return True
    return False


def _is_broken(reading: Reading) -> bool:
    """Whether a platform's name is broken into parts, as in "tele gram" or "ins.ta"."""
    for match in _BIND.finditer(reading.low):
        whole = re.sub(r"[\W_]", "", match[0])
        if (
            (whole in platforms.HIDDEN or whole[::-1] in _BROKEN)
            and len(whole) >= MIN_DISGUISED
            and whole not in reading.raw
        ):
            return True
    words = reading.words
    for at in range(len(words) - 1):
        for count in (2, 3, 4):
            pieces = [word.low for word in words[at : at + count]]
            if len(pieces) == count and "".join(pieces) in _BROKEN and tuple(pieces) not in _NATURAL_BREAKS:
                return True
            if count == 2 and pieces[0] == "insta" and pieces[-1] in ("gram", "gramm", "grao", "grammo"):  # noqa: PLR2004
                return True
    return False

"""Handles, and where to find somebody: on a platform, under a name."""

import re

from unora_text import platforms
from unora_text.disguises import hides_platform
from unora_text.lists import listed
from unora_text.mentions import IDENTIFIER, names_foreign, names_platform
from unora_text.reading import Reading

_AT_HANDLE = re.compile(r"(?<![^\W_]{1}[.])@ ?[^\W\d_][\w.-]{1,}|@ (?:[^\W_] ){3,}|(?<=[^\W\d_]{2})@[^\W\d_]{2,}")
_AT_PLACES = listed(
    "home work the night my school gym noon sunrise sunset dawn midnight sea lunch all once best first "
    "last least most heart the"
    " beach uni hause dir mir casa maison work office home's thuis 5am sixam club"
)
_UNDERSCORED = re.compile(r"(?<![\w.])(?:[^\W_][\w.-]*_[\w.-]*[^\W_]|_[^\W_]{3,}_?)(?![\w])")
_SNAKES = listed("snake_case hello_world foo_bar self_care __init__")
_TAGGED = re.compile(r"\w{2,}#\d{3,5}\b|(?<!\w)\$[a-z][a-z0-9]{3,}|\bsw-?\d{4}")
_SPOKEN_SIGNS = re.compile(platforms.SPOKEN_SIGNS)
_HANDLE = re.compile(
    platforms.HANDLE_WORDS
    + r"\b(?: (?:everywhere|everywhere else|uberall|partout|overal|ovunque|em tudo|is|ist|est|es|is|e|era"
    r"|lautet|naam|name|switch|steam|psn|xbox|nintendo|discord|are all|are|sao|son)){0,3}"
    r" ?(?:[:=→➡👉-]+|is|ist|est|es|e|lautet|are all|are|sao|son) ?@?[\w.]{3,}"
)
_CODE = re.compile(r"\b(?:code|codigo|codice|cod)\b[^\d]{0,20}\d{4,}")
_NICKNAME = re.compile(
    rf"\b{platforms.NICKNAMES}[- ]?{platforms.NETWORK}\b"
    rf"|\b{platforms.NETWORK} (?:{platforms.NICKNAMES}\b|(?:delle |das |dos |de las |de los |des |van de "
    rf"|der |met de |con le |con la )(?:\w+ )?{platforms.NICKNAMES}\b)"
    rf"|\b{platforms.NETWORK} (?:with (?:the|a) |mit (?:dem|der) |al |del |de |dell'|della |do |da |a l'"
    rf"|au |de l'|du |met (?:het|de) |van (?:het|de) |a la |a |met )(?:\w+ )?{platforms.NICKNAMES}\b"
)
_UNCLEAR = "|".join(sorted(map(re.escape, platforms.UNCLEAR), key=len, reverse=True))
_ON_UNCLEAR = re.compile(
    rf"\b{platforms.ON} (?:the |le |il |la |l'|o |meu |my |mon )?(?:{_UNCLEAR}) (?:{platforms.I_AM})\b"
    rf"|\b{platforms.I_AM} [\w. ]{{2,30}} {platforms.ON} (?:the |le |l'|il )?(?:snap|tele|tg|wa|line|signal|steam"
    rf"|threads|face|whats)\b"
    rf"|\b(?:snap|tele|tg|wa|line|signal|steam|threads|face|whats|app|dm|pm|mp|zap)(?:p?t)? (?:me|mich|moi"
    rf"|mir)\b(?! (?:back|of|the|a|an|up)\b)(?: ?[:,=@]|$| (?:on|at|auf|sur|op|en|unter|nul"
    rf"|[\w.]*[\d_.][\w]*)\b)"
    rf"|{platforms.REACH}(?:[ -](?:me|mich|moi|dich|mir))?(?: (?:over|up|toe|ruhig|gern"
    rf"|gerne))? {platforms.ON} (?:the |le |il |la |l'|o )?(?:{_UNCLEAR})\b(?! ?(?:of|processing))"
    rf"|\b(?:slide into|slid into|rutsch in|chama no|chama na|scrivimi in|stuur een|send a"
    rf"|schick (?:mir )?(?:eine|ne)|envoie(?:-moi)? un|mandame un|manda un|escreve na) (?:my |meine |mes "
    rf"|mis |i miei )?(?:dms?|pms?|mp|pn|direct|inbox|md|privado|privato)\b"
)
_UNCLEAR_NAMED = re.compile(
    rf"(?<![\w'-])(?:{_UNCLEAR})(?: (?:me|id|name|code|tag|da \w+|de \w+|handle|user))? ?(?:[:=→➡👉]|is"
    rf"|->)\s?@?[\w.]*[^\W_][\w.]{{2,}}(?!\s*\w+\s+\w+\s+\w+)"
)
_PLATFORM_SIGNS = re.compile(r"[👻📸📷🐦✈🎮📧💌🕊][\ufe0f]?\s?(?:[:=→]\s?)?@?(?=[\w.]*[\d_.])[^\W\d_][\w.]{3,}")
_ALONE = re.compile(
    r"(?:^|[.,;:!?(/|–-] ?)(?:snap|tg|tele|discord|sc|dc|tt|wa|dm|whats|zap|line id|@|at sign|chiocciola"
    r"|klammeraffe|affenschwanz|arroba|arobase)"
    r" (?!peas?\b|dragons?|fastener|decision|judge?ment|server|bots?|cards?|shots?|sounds?|work|home|night"
    r"|noon|dawn|sunset|sunrise|lunch|dinner|lenta|er\b|het\b|jij\b)"
    r"[^\W\d_][\w.]{3,}(?=$| ?[,.;!)\n])"
)
_NAMED_ALONE = re.compile(
    r"\b(?:user ?name|user(?!-)|nick(?:name)?|nutzername|benutzername|gebruikersnaam|nome utente"
    r"|nom d'utilisateur|usuario|gamertag|screenname) (?!friendly)[^\W\d_][\w.]{3,}(?=$| ?[,.;!)])"
    r"|\b(?:line|kakao|wechat|psn|steam|skype|discord|zalo|qq|signal|threema)[ -]?id:? @?[\w.]{4,}"
    r"|(?:[👻📸📷🐦✈]|'gram)\ufe0f? ?[:=→] ?@?[^\W\d_][\w.]{3,}(?=$|,)"
    r"|\bdms? (?:are |is |sind |sont |estan |sono )?(?:open|offen|ouverts?|abiertos?|aperti)\b"
    r"|\bon the gram\b|\bthe gram:|\b(?:a|un|een|eine|ein|ne|una|um|uma) (?:dm|pm|pn)\b|\b(?:insta|snap|ig"
    r"|tiktok|discord)[- ]?name\b|\bhmu\b|\b(?:eye|aye|i)[- ]?gee\b|\b(?:bird|ghost|photo|selfie|camera"
    r"|zuck\w*(?:'s)?|musk's|elon's)[- ](?:thing|thingy|site|place|icon|logo|page)\b|\b(?:the |')tok\b"
    r"|\b(?:hash|hashtag|hash ?sign|raute|diese|almohadilla|cancelletto|hekje|hash tag) ?\d{3,}|\b(?:to|an"
    r"|a|op|on|via) (?:my|meinen|meine|mein|mon|mi|mes|mis|mijn|meu) (?:dms?|pms?|inbox)\b"
    r"|(?:^|[,:;–-] ?)@?(?!\w+(?:ing|s|ed|en) )[^\W\d_][\w.]{6,} (?:on|auf|bei|sur|op|su|no|en) (?:the "
    r"|le )?(?:insta|ig|instagram|snap|snapchat|tg|telegram|tiktok|threads|discord|signal)\b"
    r"|(?<![\w])'gram\b|\bthe gram:|\b(?:i\.g\.?|i g) ?[:=]? ?[a-z][\w.]{3,}$"
)
_ON_SOME = r"(?:on|auf|bei|su|sur|op|via)"
_NICK = r"@?[^\W\d_][\w.]{3,}(?=$| ?[,.;!)])"
_GOES_BY = re.compile(
    rf"\b{_ON_SOME} (?:threads|snap|discord|signal|tg|tele|telegramme|messenger|steam|face) {_NICK}"
    rf"|{platforms.REACH}(?:[ -](?:me|mich|moi|mir))?: ?{_NICK}"
    rf"|\b(?:add|find|follow|get) my (?:snap|tele|tg|discord|signal|steam|line)\b"
    rf"|\b(?:add|find|follow) [\w.]{{4,}} {_ON_SOME} (?:{_UNCLEAR})\b"
    rf"|\b(?:nel|per il|im|on the|sur le|en la|na|op het) web (?:sono|bin ich|i'm|i am|je suis|soy|sou|ben ik) "
    rf"|{platforms.REACH}(?:[ -](?:me|mich|moi|mir|me))? (?:as|als|comme|sous|como|come|unter|under|onder"
    rf"|por|by|under the name|unter dem namen|con el nombre|sotto|met de naam|sous le nom(?: de)?) {_NICK}"
    rf"|\b(?:i go by|online i'm|online i am|online as|im netz|im internet|online|sur le net|sur internet"
    rf"|en internet|en las redes|en redes|nas redes|sui social|sulle reti|op internet|op de socials"
    rf"|in rete)"
    rf" (?:bin ich |heiss ich |heisse ich |je suis |soy |sono |sou |ben ik |heet ik |i'm |i am |como |come "
    rf"|as |als )?{_NICK}"
    rf"|\b(?:my|mein|meinen|mon|mi|il mio|meu|mijn|minha|la mia|a minha) (?:account|profile?|cuenta|perfil"
    rf"|compte|profilo|conta|tag|nick|nickname|user|@|at|alias|insta\w*|ig|handle)(?: (?:is|ist|est|es|e"
    rf"|heisst|lautet|se llama|s'appelle|si chiama|se chama|heet))?:? {_NICK}"
    rf"|\b(?:account|profil|perfil|cuenta|compte|profilo|konto|blog|channel|kanal|canal|podcast|shop|etsy"
    rf"|site|website|homepage|webseite): ?{_NICK}"
    rf"|\b(?:on|auf|sur|en|su|em|op|across|nas|in) (?:all|allen|tous|toutes|todas|tutti|tutte|alle|every"
    rf"|my)(?: (?:the|les|las|i|gli|as|meus|meinen|my|mijn))? (?:other )?(?:platforms?|apps?|socials?"
    rf"|kanalen|netzwerken|plattformen|reseaux|redes|social|sites|media)\b"
    rf"|\b(?:link (?:is )?in (?:my |the )?bio|link (?:nella|na|en la|en|in der|in de) bio|lien (?:en|dans la) bio)\b"
    rf"|\b(?:follow|folgt|suivez|seguid|seguite|sigam|volg|add|adde|agrega|ajoute|aggiungi"
    rf"|adiciona) [^\W\d_]{{7,}} (?:for more|everywhere|uberall|partout|ovunque|overal|online|auf|on)\b"
)
_BLUE_BIRD = re.compile(
    rf"\b(?:oiseau bleu|pajarito|pajaro azul|uccellin\w+(?: azzurro| blu)?|passarinho|(?:blauwe )?vogeltje"
    rf"|blaue[rnsm]? (?:vog\w+|piepmatz)|blue ?bird|fantomino|fantasmino|fantasmita|fantasminha"
    rf"|petit fantome|spookje)\b"
    rf"(?=.*(?:[:=→]|\b(?:me|mich|moi|je suis|soy|sono|sou|ben ik|ik ben|bin ich|ich bin|i'm|i am|mi)\b"
    rf"|[^\W\d_]{{4,}}\d))"
    rf"|\b(?:geister|foto|vogel|kamera|flieger|papierflieger|bilder|photo|camera|ghost|bird|video|tanz"
    rf"|musik)-?(?:app|apps|netzwerk|plattform|portal|appje|app'?je)\b"
    rf"|\bwhere the (?:birds?|ducks?) tweets?\b"
    rf"|\b{platforms.ON} (?:x|xis|equis|ics|ix)\b(?:[,:=]"
    rf"| (?:{platforms.I_AM}|as|als|comme|come|como)\b)|\b{platforms.I_AM} [\w.]{{4,}} {platforms.ON} (?:x|xis|equis)\b"
    rf"|(?:^|[,;] ?)(?:x|tt|yt) ?[:=] ?@?[^\W\d_][\w.]{{4,}}"
    rf"|\b(?:frag|ask|demande|pregunta|chiedi|pergunta|vraag|such|search|busca|cerca)\w* (?:\w+ )?(?:{_UNCLEAR})\b"
)
_HAMMERED = re.compile(
    r"\b(?:google|googel|googelt|googele|googla|googlea|googlez|look up|search) (?:me|my name|mich"
    r"|meinen namen|mon nom|mi nombre|il mio nome|mijn naam|o meu nome|meu nome)\b"
    r"|\b(?:tape|cherche|busca|cerca|procura|zoek|such|suche?t?) [\w' -]{3,40} (?:sur|en|su|no|op|auf|bei"
    r"|in) google\b|\bsame (?:name|handle|@) (?:on|everywhere)\b"
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
        or names_foreign(low)
        or names_platform(reading)
        or hides_platform(reading)
    )


def _has_sign(low: str) -> bool:
    if any(match[0] not in _SNAKES for match in _UNDERSCORED.finditer(low)) or _TAGGED.search(low):
        return True
    for match in _AT_HANDLE.finditer(low):
        word = match[0].lstrip("@ ").rstrip(".-")
        if match[0].startswith("@ ") and match[0].count(" ") == 1 and not IDENTIFIER.search(word):
            continue
        if word not in _AT_PLACES:
            return True
    return bool(_CODE.search(low) and re.search(r"steam|switch|nintendo|friend|freund|ami\b|amig|amic|vriend", low))


def _is_named_unclear(low: str) -> bool:
    return any(True for _ in _UNCLEAR_NAMED.finditer(low))

"""Addresses: a street with the number of a house, in either order, a postal code with its place, a post-office box."""

import re
from typing import Final

from unora_text.lists import listed
from unora_text.number_words import NUMBER_WORDS
from unora_text.reading import Reading

_UNIT: Final = (
    r"(?:km|m(?!\.)|cm|mi|miles?|meters?|meter|metros|metri|metres|min|mins|minutes?|minuten|minuti"
    r"|minutos|h|hours?|stunden|heures?|horas?|ore|uur|uhr|am|pm|h\d*"
    r"|times?|mal|fois|veces|volte|vezes|keer|days?|tage|jours|dias|giorni|dagen|years?|jahre|ans|anos"
    r"|anni|jaar|x|€|%|°|euro|folgen|episoden|blasen|etappen"
    r"|people|personen|kinder|steps|percent|prozent|th|st|nd|rd|uhr|de (?:enero|febrero|marzo|abril|mayo"
    r"|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|janeiro|maio))"
)
_HOUSE = rf"(?!(?:19|20)\d\d\b)\d{{1,4}}(?: ?[-/+] ?\d{{1,3}})? ?(?:[a-h]|bis|ter)?\b(?! ?{_UNIT}\b)(?![.,:]\d|°|%)"
_NO = r"(?:,? ?(?:no|nr|num|numero|nummer|number|nº|n°|n|hausnummer|huisnummer|№|#)\.? ?:? ?|,? )"
_NAME = r"[^\W\d_][\w'’.-]*"
_SMALL = (
    r"(?:de|del|de la|de las|de los|du|des|la|le|les|l'|d'|da|do|dos|das|di|della|dello|delle|dei|degli"
    r"|dell'|dal|von|van|der|den|of|the|st\.?|saint|san|santa|sant')"
)

_GLUED = re.compile(
    rf"\b(?:{_NAME} )?[^\W\d_]{{3,}}(?:strasse|strase|str|gasse|gasschen|gassl|gass|weg|allee|platz|damm"
    rf"|ufer|chaussee|steig|pfad|stieg|twiete|markt|graben|promenade|brucke"
    r"|straat|laan|plein|gracht|kade|singel|dijk|dreef|steeg|hofje|baan|pad|gatan|vagen|vag|gade|gata|vej"
    r"|vejen|veien|vei|veg|gaten|stien|katu|tie|polku|kuja|utca|plads|plass|torget|torg)"
    rf"(?:\.|\b){_NO}{_HOUSE}"
)
_NOT_STREETS = re.compile(
    r"\b(?:\w*(?:jakobs|autobahn|start|stamm|tabellen|listen|steh|sitz|rad|wander|heim|feier|rhein|hinter"
    r"|treffpunkt|umweg|auf|spiel|sport|camping|bolz|golf|arbeits|super|bauern|floh"
    r"|weihnachts|wochen|jahr|stadt|bahn|fried|bauern|innen|bau)(?:weg|platz|markt|hof)|bundesstr\w*)\.? ?\d|\bsesam\w+"
)
_APART = re.compile(
    rf"\b(?:[^\W\d_]{{3,}}er|alte[rn]?|neue[rn]?|{_NAME}[-']{_NAME}) (?:strasse|str\.|weg|platz|allee|ring"
    rf"|damm|ufer|gasse|markt|straat|laan|weg|plein|gracht|kade|markt){_NO}{_HOUSE}"
)
_STREET = (
    r"(?:street|str|st|road|rd|avenue|ave|lane|ln|drive|boulevard|blvd|terrace|crescent|cres|close|mews"
    r"|grove|gardens|gdns|court|ct|square|sq|place|pl|way|row|walk|hill|park|parkway|pkwy|highway|hwy"
    r"|circle|cir|quay|wharf|parade|green|rise|view|yard|alley|trail)"
)
_SURE_STREET = r"(?:street|road|rd|avenue|ave|lane|ln|boulevard|blvd|terrace|crescent|mews|gdns|pkwy|parkway)"
_ENGLISH = re.compile(
    rf"(?<![\d.,:/#])\b\d{{1,5}}(?: ?[a-h])?,? (?!{_UNIT}\b|of\b|the\b|a\b|and\b|on\b|in\b|down\b|way\b"
    rf"|lane\b|different\b)(?:(?:{_SMALL} )?(?:{_NAME}|\d{{1,3}}(?:st|nd|rd"
    rf"|th)) ){{1,2}}{_SURE_STREET}\b\.?(?! ?(?:songs?|films?|stories))"
)
_ENGLISH_CASED = re.compile(rf"(?<![\d.,:/#])\b\d{{1,5}}(?: ?[a-hA-H])?,? (?:[A-Z][\w'’.-]*,? ){{1,3}}(?i:{_STREET})\b")
_ENGLISH_AFTER = re.compile(
    rf"\b[^\W\d_]{{3,}} (?:street|road|rd|avenue|ave|lane|terrace|crescent|mews|gardens|close"
    rf"|court){_NO}{_HOUSE}$|\b[^\W\d_]{{3,}} (?:street|road|rd|avenue|ave|lane|terrace|crescent"
    rf"|mews){_NO}{_HOUSE}(?=[,;.!])"
)
_ROOM = re.compile(
    r"\b(?:flat|apt|apartment|unit|suite|appartement|appt|wohnung|whg|depto|departamento|piso|interno|int"
    r"|apto|bloco|scala|interphone|klingel|buzzer|doorbell|top bell|ring twice"
    r"|bus)\.? ?(?:no\.? ?)?\d{1,4}[a-h]?\b"
)
_FRENCH = re.compile(
    rf"(?<![\d.,:/])\b\d{{1,4}}(?: ?(?:bis|ter|quater|[a-d]))?,? (?:rue|avenue|av|ave|boulevard|bd|bvd|blvd"
    rf"|place(?= des?\b| du\b)|impasse|chemin|allee|quai|faubourg|fbg|venelle|ruelle"
    rf"|sentier)\.? (?:{_SMALL} ?)*{_NAME}"
)
_FRENCH_CASED = re.compile(
    r"(?<![\d.,:/])\b\d{1,4}(?: ?(?:bis|ter))?,? (?i:place|cours|passage|route|rte|square|villa|cite|cité"
    r"|residence|résidence|montee|montée|pl|av|ch|hameau)\.? (?:(?i:de|du|des|de la|la|le|les|l'"
    r"|d') ?)*[A-ZÉÈ]\w+"
)
_ROMANCE_TYPES = (
    r"(?:rue|avenue|boulevard|impasse|chemin|allee|quai|c/|calle|cl|avda|avd|avenida|av|paseo|pso|plaza"
    r"|pza|plza|camino|ronda|travesia|carrera|cra|glorieta|callejon|gran|alameda|pasaje|cuesta"
    r"|urbanizacion|urb"
    r"|via|viale|v\.le|piazza|p\.za|p\.zza|pza|corso|c\.so|largo|vicolo|strada|piazzale|p\.le|lungomare"
    r"|lungotevere|lungarno|contrada|borgo|salita|calata|fondamenta|rione"
    r"|rua|r\.|travessa|tv|praca|pca|alameda|estrada|beco|rodovia|ladeira|vila|bairro|largo|lgo|ulica|ul"
    r"|aleja|plac|ulice|namesti|strada|bulevardul|bd|calea|soseaua|ulitsa|улица|ул|проспект|переулок"
    r"|бульвар|набережная|наб|вулиця|вул"
    r"|οδοσ|οδου|λεωφοροσ|πλατεια|jalan|jl|shari|شارع|رחוב|רחוב|שדרות|گلی|मार्ग|गली)"
)
_ROMANCE = re.compile(
    rf"(?<![\w]){_ROMANCE_TYPES}\.? (?:{_SMALL} ?)*{_NAME}(?: (?:{_SMALL} ?)*{_NAME}){{0,3}}(?:{_NO}){_HOUSE}(?!/\d\d)"
)
_NOT_ROMANCE = re.compile(
    r"\b(?:via|camino|corso|strada|largo|plaza|calle) (?:\w+ )*(?:a las|alle|con|para|per|por|statale"
    r"|provinciale|em|en|in|e|y|mit)\b"
)
_COLOMBIAN = re.compile(
    r"\b(?:calle|carrera|cra|cl|kr|diagonal|transversal|avenida) \d{1,3} ?[a-z]? ?(?:#|no\.?|nº) ?\d"
)
_ELSEWHERE = re.compile(
    r"\b(?:cad|caddesi|caddesı|sok|sokak|sokagi|mah|mahallesi|bulvari|apt)\.?,? (?:no|nr|numara)?:? ?\d"
    r"|\d+(?:丁目|番地|号室)|[都道府県市区町村]\D{0,8}\d+[-–−ー]\d+(?:[-–−ー]\d+)?|[路街道巷弄]\d+[号號]|\d+[号號](?:楼|室|院)"
    r"|[가-힣]+(?:로|길) ?\d+(?:번길)? ?\d*(?![가-힣])|शारع"
    r"|\b(?:gatan|vagen|gade|vej|utca|u\.) \d{1,3}\b|\bкв(?:артира)?\.? ?\d|\bдом \d"
)
_ANY_STREET = (
    r"(?:\b[^\W\d_]{3,}(?:strasse|str|gasse|weg|allee|platz|straat|laan|plein|gracht|kade|steeg)\b"
    r"|\b(?:rue|avenue|boulevard|impasse|calle|avenida|plaza|via|viale|piazza|corso|vicolo|rua|travessa"
    r"|praca)"
    r" (?:\w+ )?\w{3,}|\b[^\W\d_]{3,} (?:street|road|lane|avenue|drive|close|terrace|square|st|rd|ave)\b)"
)
_NUMBERED = (
    r"\b(?:hausnummer|hausnr|huisnummer|number|no|nr|nummer|numero|num|n[º°o]|civico|portal"
    r"|#)\.? ?:? ?\d{1,4}[a-z]?\b"
)
_AWAY = re.compile(
    rf"{_ANY_STREET}[^.!?]{{0,25}}{_NUMBERED}|{_NUMBERED}[^.!?]{{0,25}}{_ANY_STREET}"
    rf"|{_ANY_STREET},? (?:au|al|op|at|im|no) \d{{1,4}}[a-z]?(?=$|[,;.!])"
    rf"|\b(?:au|al|op|at|im|en el|no) \d{{1,4}}[a-z]?,? (?:de la|de|of|on|in der|in the|della|di|da|do"
    rf"|in de|dans la|en la) {_ANY_STREET}"
)
_DWELLING = (
    r"(?:interno|int|bus|apt|appt|app|scala|piso|dachgeschoss|dg|eg|og|\d\.? ?(?:stock|og|etage|verdieping"
    r"|andar|piano|floor)|stock|etage|hinterhaus|hinterhof|vorderhaus|piano|citofono|campanello|klingel\w*"
    r"|bell|flat"
    r"|huisnr|portal|escalera|bloque|bloco|lote|fundos|timbre|interphone|digicode|batiment|bat|porte|andar"
    r"|verdieping|stiege|tur|depto|portone|cortile|palazzina|campainha|bel(?:letje)?|loft|penthouse"
    r"|basement|souterrain)"
)
_DWELT = re.compile(rf"\b[A-ZÄÖÜÉ][\w'-]+,? \d{{1,4}} ?[a-zA-Z]?, ?(?:[^,]{{0,14}}\b)?(?i:{_DWELLING})\b")
_BLOCK = re.compile(
    r"\b(?:quadra|qd|lote|manzana|mz|bloque|sector|setor|conjunto) ?\.? ?\w{1,4}\b,? .{0,12}\b(?:lote|lt"
    r"|casa|bloco|villa|setor|quadra|solar)\b|\b(?:cra|cl|kr|calle|carrera)\.? \d{1,3}[a-z]? (?:no|n[º°]"
    r"|#)\.? ?\d"
)
_BOX = re.compile(
    r"\b(?:p\.? ?o\.? ?box|post ?office box|postfach|boite postale|b\.?p\.? (?=\d{2,})"
    r"|apartado(?: de correos| postal)?|apdo|casella postale|c\.p\.|caixa postal|postbus|postboks"
    r"|skrytka)\.? ?(?:nr|no|n)?\.? ?\d{1,7}\b"
)
_POSTAL = re.compile(
    r"\b\d{4} ?[A-Z]{2}\b(?! ?\d)|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b|\b\d{4}-\d{3}\b(?=,? [A-Z]|$)"
    r"|\b\d{5}-\d{3}\b|\b[A-Z]\d[A-Z] \d[A-Z]\d\b|\b(?:D|F|A|CH|I|E|B)-\d{4,5}\b|\b[A-Z]{2} \d{5}\b"
    r"|〒 ?\d{3}-?\d{4}|\b\d{2}-\d{3} [A-ZŁŚŻ]\w+"
)
_PLACE = re.compile(r"(?<![\d.,:/])\b(?!\d{2,3}00\b)\d{5} [A-ZÄÖÜÉ][a-zäöüéèç]{3,}(?!\w)")
_NOT_PLACES = listed(
    "schritte meter teile steps pieces kilometer seiten wörter worte pages pas pasos passi passos "
    "stappen stuks noten puzzleteile"
)
_FAMOUS = re.compile(
    r"\b(?:21 jump street|84 charing cross|10 cloverfield lane|12 grimmauld|4 privet drive|10 downing"
    r"|77 sunset|36,? quai des orfevres|62 west wallaby|1600 pennsylvania|742 evergreen|124 conch street"
    r"|plaza 2 de mayo|13 rue del percebe)\b"
)


def has_address(reading: Reading) -> bool:
    """Whether a text tells a street with a number, a postal code with a place, or a box for post."""
    return any(_tells(text, reading) for text in {reading.low, _with_digits(reading)} if any(map(str.isdecimal, text)))


_GERMAN_PLACE = re.compile(
    r"(?:^|[,;:] |wohne )(?:Am|An der|An den|Unter den|Auf der|Auf dem|In der|Hinter der|Zum|Zur"
    r"|Im)(?: [A-ZÄÖÜ][\w-]+){1,2} \d{1,3} ?[a-z]?(?=$|[,;.])"
)
_TIMES = re.compile(
    r"(?i)montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|januar|februar|märz|april|mai|juni"
    r"|juli|august|september|oktober|november|dezember|ende|tag|abend|morgen|tisch|herd|gleis|platz"
    r"|schnitt|jahr|alter|zimmer|haus|level|kilometer|takt|loch|brett|tor|liga|team|feld"
)
_VIA = re.compile(
    r"\bgran via,? \d{1,3}\b|\b\w+ voorhout \d|\bc/ ?[^\W\d_]{3,} ?,? ?\d{1,3}\b"
    r"|\b[^\W\d_]{3,}s gate \d{1,3}\b"
)
_CAREFUL = re.compile(
    r"\b(?:corso|largo|strada|camino|paseo|ronda|borgo|salita|cuesta|quinta|plac|al|pl|os|urb|via|vila"
    r"|alameda|chemin)\b"
)


def _is_romance(text: str, reading: Reading) -> bool:
    for match in _ROMANCE.finditer(text):
        found, careful = match[0], _CAREFUL.match(match[0])
        counted = re.match(r" [a-zà-ÿ]{3,}(?:s|i|en)\b", text[match.end() :]) and ("," in found or careful)
        if _NOT_ROMANCE.search(found) or counted or (careful and not _has_capital(found, reading)):
            continue
        return True
    return False


def _has_capital(found: str, reading: Reading) -> bool:
    """Whether a word of the street's name is written with a capital; in a text without capitals any word is a name."""
    names = set(re.findall(r"[^\W\d_]+", found)[1:])
    return reading.cased.islower() or any(word.low in names and word.cased[:1].isupper() for word in reading.words)


def _tells(text: str, reading: Reading) -> bool:
    if _BOX.search(text) or _POSTAL.search(reading.cased) or _ELSEWHERE.search(text) or _COLOMBIAN.search(text):
        return True
    if any(match[0].split()[-1].lower() not in _NOT_PLACES for match in _PLACE.finditer(reading.cased)):
        return True
    if _FAMOUS.search(text):
        return False
    if _BLOCK.search(text) or _DWELT.search(reading.cased):
        return True
    if _AWAY.search(text):
        return True
    if _VIA.search(text) or any(not _TIMES.search(match[0]) for match in _GERMAN_PLACE.finditer(reading.cased)):
        return True
    if (_GLUED.search(text) and not _NOT_STREETS.search(text)) or _APART.search(text):
        return True
    if _ENGLISH.search(text) or _ENGLISH_CASED.search(reading.cased) or _ENGLISH_AFTER.search(text):
        return True
    return (
        bool(_FRENCH.search(text) or _FRENCH_CASED.search(reading.cased))
        or _is_romance(text, reading)
        or bool(_ROOM.search(text) and re.search(rf"\b{_STREET}\b", text))
    )


_ARTICLES = listed("un une uno una um uma ein eine een en a on o no do to i er do ii e")


def _with_digits(reading: Reading) -> str:
    """The text with number words of one word in digits; an article is none."""
    if NUMBER_WORDS.keys().isdisjoint(reading.has):
        return reading.low
    out, end = [], 0
    for word in reading.words:
        value = None if word.low in _ARTICLES else NUMBER_WORDS.get(word.low)
        out += [reading.low[end : word.start], word.low if value is None else str(value)]
        end = word.end
    return "".join([*out, reading.low[end:]])

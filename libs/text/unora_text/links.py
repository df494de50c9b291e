"""E-mail addresses and links, with signs or in words."""

import re
from typing import Final

from unora_text.domains import CLEAR_TLDS, FILES, TIES, TLDS
from unora_text.lists import listed
from unora_text.reading import Reading

_AT_WORDS = (
    "at|ät|aet|arroba|arrova|arouba|arrouba|arobas[ea]?|arrobas[ea]?|arobaz|chiocciola|chiocciolina"
    "|apenstaart(?:je)?|apestaart(?:je)?|a-?staartje"
    "|slingeraap|klammeraffe|affenschwanz|affenohr|a commercial|at[- ]?sign|at[- ]?zeichen|a krazy"
    "|snabel-?a|kukac|malpa"
    "|zavinac|собака|собачка|παπακι|alfakrull|miukumauku|kissanhanta|chez|bij|bei|auf|on|su|en|no|na|sur|op|em|a"
)
_SURE_AT = re.compile(
    r"@|[(\[{<*_|~-] ?(?:at|ät|aet|a|arroba|arobase?|chiocciola|apenstaartje|klammeraffe) ?[)\]}>*_|~-]|[📧✉]"
    r"|\b(?:arrov?ba|arrova|arr?o?uba|arobas[es]?|arrobas[ea]|apenstaart(?:je)?|apestaart(?:je)?"
    r"|a-staartje|chiocciolina|affenschwanz|at-?zeichen"
    r"|at-?sign|snabel-?a|собака)\b"
)
_PROVIDER = re.compile(
    r"\b(?:[gj]e?e?-? ?mail|jimeil|gemail|jotmeil|hot ?mail|google ?mail|g ?meil|gmx|web ?de|yahoo|ya[hj]u"
    r"|outlook|icloud|i-cloud|proton ?mail|proton"
    r"|tutanota|fastmail|posteo|t-?online|freenet|mailbox|orange|wanadoo|free|laposte|la poste|sfr|libero"
    r"|tiscali|alice|virgilio"
    r"|ziggo|kpn(?:mail)?|planet|xs4all|hetnet|telenet|skynet|sapo|clix|uol|bol|terra|telefonica|yandex|qq"
    r"|163|naver|daum|seznam|wp|onet"
    r"|interia|mail ?ru|aol|live|msn|hey|zoho|bluewin|hotmeil|jotmail)\b"
)
_SURE_PROVIDER = re.compile(
    r"\b(?:g[ -]?mail|gee mail|jimeil|jotmeil|jotmail|hotmeil|hotmail|google ?mail|proton ?mail|tutanota"
    r"|protonmail|gmx|icloud mail|outlook ?(?:\.|dot|punkt|point|punto|ponto|punt))\b"
)
_DOT = (
    r"(?:dot|d0t|dott|punkt|pkt|point|punto|ponto|punt|pto|period|full stop"
    r"|kropka|tecka|tocka|точка|piste|点|點|nokta|τελεια)"
)
_DOT_WORD = re.compile(rf" ?[(\[{{<*_|~-]{{1,2}} ?(?:{_DOT}|\.) ?[)\]}}>*_|~-]{{1,2}} ?|\.(?=\.)|[․‧。｡·•∙⋅・●](?=\w)")
_SPOKEN_DOT = re.compile(rf"(?<=[^\W_]) {_DOT} (?=[^\W_])")
_SPACED_DOT = re.compile(r"(?<=[^\W_]) \. ?(?!net\b)(?=[^\W_])")
_TIGHT = re.compile(r"(?<![\w.@/])[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+(?![\w])")
_LINK = re.compile(
    r"://|\bh(?:tt|xx)ps?\b|\bache te te pe\b|\bhache te te pe\b|\bwww\d?\b|\bw w w\b|\bvvvvvv\b|\bxn--"
    r"|\b(?:triple|dreimal|drei|tres|tre|trois|drie|double) (?:w|u|ve|doble ve)\b"
    r"|\b(?:t|tee|te|ti|wa|m|fb|ig|bit|linktr|discord|snap|about|cutt|vm|linkin|beacons|carrd|solo|paypal"
    r"|revolut|cash|ko-fi|tinyurl)"
    r" ?(?:\.|dot|punkt|point|punto|ponto|punt| ) ?(?:me|mi|ly|ee|gg|bio|ai|co|to|com|gl)"
    r" ?(?:[/∕⁄⧸\\]|(?:forward )?slash|schragstrich|barra|slesh|schuine streep|strich|stroke|sbarra|barre)"
    r"|\bdiscord gg\b|\blinktr ?\.? ?ee\b|\blink ?tree\b|\bbit ?(?:\.|dot|punto?|point|ponto|punkt)? ?ly\b"
    r"|\b(?:youtube|facebook|fb|instagram|insta|ig|tiktok|twitter|vk|reddit|twitch|github|soundcloud"
    r"|x)(?:[/\\]| ?(?:slash|barra|schragstrich|barre|sbarra|schuine streep) ?)\w"
    r"|\bpoint com\b|\bpunkt (?:com|de|net|org|at|ch)\b|\bmoc\.\w|\bmoc [a-z]{3,}|(?:^|[\s(])/?[ur]/[a-z0-9_-]{3,}"
)
_DETERMINERS = listed(
    "the a an this that polka dot one der die das ein le la les un une el los lo il uno o os um de het een"
)
_FOLLOWERS = listed("era bubble boom crash age generation")
_MAILED = re.compile(
    r"\be-?mails?\b.*\b(?:dot|punkt|punto|ponto|point|punt|at|ät|arroba)\b|\b(?:e-?mail|maile?"
    r"|mailt) (?:me|mir|moi|mij|an|to|at|naar|a|à|para)\b"
)
_HYPHENED_DOT = re.compile(r"\w+-(?:dot|punkt|point|punto|ponto|punt)-\w+(?:-\w+)*")
_GLUED = re.compile(
    r"[a-z0-9](?:AT|At|ÄT)[a-z0-9.-]{2,}(?:DOT|Dot|PUNKT|Punkt|POINT|PUNTO|PONTO|PUNT)[a-z]{2,}"
    r"|[a-z0-9]DOT(?:com|net|org|de|fr|es|it|nl|pt)\b"
)
_COMMA = re.compile(
    r"[^\W_]{3,}\. (?:com|net|org)\b|[^\W_]{4,}/(?:com|net|org)\b"
    r"|[^\W_]{3,},(?:com|net|org)\b|(?<!the )(?<!a )\b[^\W_]{4,} dotcom$"
)
MIN_LABEL: Final = 2


def has_link(reading: Reading) -> bool:
    """Whether a text tells an e-mail address or a link."""
    low = _HYPHENED_DOT.sub(lambda match: match[0].replace("-", " "), reading.low)
    if _GLUED.search(reading.cased) or _COMMA.search(low):
        return True
    if _MAILED.search(low):
        return True
    if _LINK.search(low):
        return True
    text = _DOT_WORD.sub(".", low)
    if _has_address(text, reading):
        return True
    return _has_spoken(text) or any(_is_domain(match[0], reading) for match in _TIGHT.finditer(text))


def _has_address(text: str, reading: Reading) -> bool:
    """Whether there is an @, in any way of writing, between something and a provider or a domain, or a provider."""
    if _SURE_PROVIDER.search(text):
        return True
    for match in _SURE_AT.finditer(text):
        before, after = text[: match.start()].rstrip(), text[match.end() :].lstrip()
        if match[0] == "@" and not (text[: match.start()][-1:].isalnum() and text[match.end() :][:1].isalnum()):
            if re.match(rf"[\w-]+(?: ?\. ?| {_DOT} )[^\W\d_]{{2,}}", after) and before[-1:].isalnum():
                return True
            continue
        if before[-1:].isalnum() and after[:1].isalnum() and (len(before) > 1 or len(after) > 2):
            return _enough_around(match[0], before, after)
        if "@" not in match[0] and re.match(r"[\w.]{4,}", after) and (match[0][0] in "([{<" or not before):
            return True
    words = re.compile(rf"\b[\w.-]+ (?:{_AT_WORDS}) ({_PROVIDER.pattern})\b(?! ?(?:and|und|et|y|e|en)\b)")
    found = words.search(text)
    return bool(found and re.sub(r"[ -]", "", found[1]) in _MAIL_NAMES)


_MAIL_NAMES = listed(
    "gmail geemail gemail hotmail googlemail gmx webde yahoo icloud protonmail posteo tonline laposte "
    "wanadoo sapo ziggo yandex naver"
)


def _enough_around(sign: str, before: str, after: str) -> bool:
    left, right = re.split(r"[\s,;]", before)[-1], re.split(r"[\s,;]", after)[0]
    if sign == "@":
        return len(left) >= MIN_LABEL and len(right) >= MIN_LABEL
    if sign in "📧✉":
        return "." in right or bool(_PROVIDER.match(right))
    return right not in ("de", "of", "van", "del", "di", "the")


def _has_spoken(text: str) -> bool:
    """Whether dots are spoken or stand apart, between names and the end of a domain."""
    spoken = _SPOKEN_DOT.sub(" \0 ", text)
    spoken = _SPOKEN_DOT.sub(" \0 ", spoken)
    spoken = _SPACED_DOT.sub(" \0 ", spoken)
    parts = spoken.split()
    for at, part in enumerate(parts):
        if part != "\0" or not 0 < at < len(parts) - 1:
            continue
        before, ending = parts[at - 1].strip(",;:!?()"), re.split(r"[^\w]", parts[at + 1].lstrip("("))[0]
        if ending not in TLDS or not before:
            continue
        dots = parts.count("\0")
        last = at + 2 >= len(parts) or not re.search(r"\w$", parts[at + 1]) or "/" in parts[at + 1]
        if ending in CLEAR_TLDS and ending not in _AMBIGUOUS_AFTER_DOT:
            if before not in _DETERMINERS and (last or parts[at + 2] not in _FOLLOWERS):
                return True
        elif (dots > 1 and last) or (last and before not in _DETERMINERS) or (at >= 2 and parts[at - 2] in _AT_TOKENS):
            return True
    return False


_AMBIGUOUS_AFTER_DOT = listed("de net co in io")
_AT_TOKENS = frozenset(_AT_WORDS.split("|")[:8])


def _is_domain(found: str, reading: Reading) -> bool:
    """Whether words with a dot between them are a domain or a handle: most of them are."""
    labels = found.split(".")
    if found in TIES or found.replace("'s", "") in TIES or all(label.isdecimal() for label in labels):
        return False
    if found.lower().startswith("v") and found[1:].replace(".", "").isdecimal():
        return False
    last = labels[-1]
    if len(labels) == 2 and last in FILES and last not in ("zip",):
        return False
    if last in TLDS and len(last) >= MIN_LABEL and any(len(label) >= MIN_LABEL for label in labels[:-1]):
        return not _begins_sentence(found, reading) or last in ("com", "net", "org", "de", "fr", "nl", "pt", "uk", "eu")
    if "_" in found and not found.startswith("_"):
        return True
    return _is_dotted_handle(labels) and last not in _STARTERS and not _begins_sentence(found, reading)


_STARTERS = listed(
    "then and but the this that they we you he she if or when und dann aber oder wenn ich wir sie er "
    "puis mais ou je nous y pero yo"
    " o e ma poi io mas eu en maar dan ik wij"
)


def _is_dotted_handle(labels: list[str]) -> bool:
    letters = [label for label in labels if any(map(str.isalpha, label))]
    if len(letters) < len(labels) and not any(len(label) >= 3 and label.isalpha() for label in labels):
        return False
    if max(map(len, labels)) < 3:
        return False
    return sum(len(label) >= MIN_LABEL for label in labels) >= MIN_LABEL or (
        len(labels[0]) >= 4 and labels[-1].isascii() and len(labels) == 2
    )


def _begins_sentence(found: str, reading: Reading) -> bool:
    """Whether the dot ends a sentence, or an abbreviation, and a space was left out: a capital follows it."""
    at = reading.cased.lower().find(found)
    written = reading.cased[at : at + len(found)] if at >= 0 else ""
    return any(label[:1].isupper() for label in written.split(".")[1:]) and not written.isupper()

"""Phone numbers: enough digits close together that are no quantities, times, scores, years, or counting."""

import re
from itertools import pairwise
from typing import Final

from unora_text.lists import listed
from unora_text.lookalikes import CHESS, DIGIT_LIKE, DIGIT_TOKEN, FIRM, MEASURE, WORD
from unora_text.number_words import NUMBER_WORDS
from unora_text.numbers import Number, Run, runs
from unora_text.reading import Reading

ENOUGH: Final = 7
"""So many digits together are a phone number (short local numbers have seven)."""
ENOUGH_SPELLED: Final = 5
"""Nobody spells so many digits for another purpose, but to count."""
ENOUGH_WITH_CUE: Final = 6
MAX_GAP: Final = 3
"""The most signs between letters and digits that are read as one number."""
MAX_BETWEEN: Final = 3
"""The most words between the parts of a number that begins with a zero."""

_CUES = listed(
    "call ring phone tel telephone mobile cell number digits text sms dial whatsapp wa wapp wasap app "
    "zap handy nummer"
    " handynummer telefonnummer telefon ruf anrufen appelle appelez numero num portable telephone llama "
    "llamame telefono"
    " tlf tfno movil chiama chiamami cellulare liga ligame telefone telemovel celular bel gsm mobiel telefoonnummer"
    " signal telegram viber threema imo zadzwon звони телефон номер тел тг 电话 電話 전화 هاتف رقم टेलीफोन फोन "
    "puhelin telefonuma"
    " marca marque disca fai compose waehl wahl wahle wahlt toets kontakt"
)
_CUE_SIGNS = re.compile("[☎☏✆📞📱📲🤙]|(?<![\\w+])\\+ ?\\d{2}|[电電]话|電話|전화")
_UNITS = listed(
    "km m cm mm mi miles mile ft feet inch g kg mg lb lbs oz ml cl l dl h hr hrs hours hour min mins "
    "minutes minuten minuti"
    " minutos minutes sec s hz khz mhz ghz gb mb tb kb w kw v mah bpm rpm kcal cal steps schritte pas "
    "passos passi pasos stappen"
    " meter metre metres meters hm pm am uhr uur heures ore horas euro eur usd dollars pieces teile "
    "piezas pezzi stukjes"
    " pieces parts years jahre ans anos anni jaar people days tage jours dias giorni dagen f c x elo "
    "points punkte euros"
    " kilometer kilometres kilometros quilometros chilometri metros metri gramm grammes gramos gramas grammi gram liter"
    " litre litros litri"
)
_HARMLESS = re.compile(
    r"(?<![\d.,:/·•-])(?:"
    r"(?:[01]?\d|2[0-4])[:h]\d{2}(?:[:.]\d{2})?(?:[.,]\d+)?"  # a time
    r"|\d{1,2}[:]\d{1,3}"  # a score or scale
    r"|\d{1,3}[.,]\d{1,2}"  # a decimal number
    r"|[1-9]\d{0,2}(?:[.,' ]\d{3})*[.,' ]000(?! ?\d)"  # a round number with its thousands apart
    r"|(?:[12]?\d|30)[-–:](?:[12]?\d|30)"  # a score
    r"|(?<!\d )(?:1[4-9]|20)\d\d(?:[-–/](?:\d\d|(?:1[4-9]|20)\d\d))?(?! \d)"  # a year, a winter, years
    r"|(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|1[0-2])[./-](?:(?:19|20)?\d\d)"  # a date
    r"|(?:19|20)\d\d-(?:0[1-9]|1[0-2])-[0-3]\d"
    r"|(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}"  # an address of the Internet
    r"|\d\.\d{5,}"  # pi
    r"|0[.,]\d+"
    r"|007|08[/ ]?15|24/7(?:/365)?|4,? 8,? 15,? 16,? 23,? 42|867[ -]?5309"
    r")(?!\d|[.,:/·•-]\d)"
)


_VANITY = re.compile(r"\b(?:1[-. ]?)?(?:8\d\d|0\d{2,4})[-. /]{0,3}[A-Z]{3,8}(?:[- ][A-Z]{2,8})?\b")
_BRAIDED = re.compile(r"\b(?:\d[^\W\d_]){6,}\d?\b")


def has_phone(reading: Reading) -> bool:
    """Whether a text tells a phone number, or a number like one."""
    if not _may_have_numbers(reading):
        return _has_lookalike(reading.cased)
    if _VANITY.search(reading.cased) or _BRAIDED.search(reading.low):
        return True
    found = runs(reading)
    spans = [match.span() for match in _HARMLESS.finditer(reading.low)]
    if any(_is_phone(run, spans) for run in found):
        return True
    rest = [(run, [n for n in run.numbers if not _harmless(n, spans) and not _measured(n, reading)]) for run in found]
    return _is_told(reading, rest) or _goes_on(rest) or _has_lookalike(reading.cased)


def _may_have_numbers(reading: Reading) -> bool:
    return (
        any(map(str.isdecimal, reading.low))
        or not NUMBER_WORDS.keys().isdisjoint(reading.has)
        or any(len(word) >= 12 or not word.isascii() for word in reading.has)
    )


def _is_phone(run: Run, spans: list[tuple[int, int]]) -> bool:
    numbers = _without_articles(_without_years(run.numbers))
    if (
        not numbers
        or any(number.scaled for number in numbers)
        or _counts(run.numbers)
        or _counts(numbers)
        or _is_list(numbers)
    ):
        return False
    open_digits = sum(len(n.digits) for n in numbers if not _harmless(n, spans))
    digits = sum(len(n.digits) for n in numbers)
    spelled = sum(n.spelled and not (n.weak and any(not each.spelled for each in numbers)) for n in numbers)
    if all(_is_round(n) for n in numbers if not _harmless(n, spans)):
        return False
    if spelled == len(numbers):
        return (digits >= ENOUGH_SPELLED and len(numbers) >= 4) or (digits > ENOUGH_SPELLED and len(numbers) >= 3)
    if spelled:
        return open_digits >= ENOUGH_SPELLED and len(numbers) >= 3
    if len(numbers) >= 6 and all(len(n.digits) == 1 for n in numbers):
        return True
    if (
        digits < 9
        and all(len(n.digits) < 3 and (n.digits == "0" or n.digits[0] != "0") for n in numbers)
        and _is_enumerated(numbers)
    ):
        return False
    return digits >= ENOUGH and open_digits >= 4


def _is_enumerated(numbers: list[Number]) -> bool:
    """Whether a comma and a space stand between all numbers, and they are not all as long as each other."""
    return len({len(n.digits) for n in numbers}) > 1 and all(two.start - one.end == 2 for one, two in pairwise(numbers))


def _without_years(numbers: list[Number]) -> list[Number]:
    """The numbers without years in words, such as "nineteen eighty-four"."""
    years = {
        id(each)
        for one, two in pairwise(numbers)
        if one.spelled and two.spelled and 18 <= one.value <= 20 and 10 <= two.value <= 99
        for each in (one, two)
    }
    return [number for number in numbers if id(number) not in years] if len(years) == len(numbers) else numbers


def _without_articles(numbers: list[Number]) -> list[Number]:
    """The numbers without words at the ends that may mean something else, such as "un" or "en"."""
    start, end = 0, len(numbers)
    while start < end and numbers[start].weak:
        start += 1
    while end > start and numbers[end - 1].weak:
        end -= 1
    return numbers[start:end]


def _counts(numbers: list[Number]) -> bool:
    """Whether the numbers count up or down, by one or by the same step each time, perhaps again and again."""
    if len(numbers) < 3 or any(len(n.digits) > 3 or n.digits[0] == "0" != n.digits for n in numbers):
        return False
    steps = [two.value - one.value for one, two in pairwise(numbers)]
    if len(set(steps)) == 1 and abs(steps[0]) <= 10 and steps[0]:
        return numbers[0].value <= 10 or numbers[-1].value <= 10 or len(numbers[0].digits) > 1
    if len(numbers) > 4 and numbers[0].value in (1, 2) and min(steps) >= 0:
        return True
    if _counts_in([number.value for number in numbers]):
        return True
    stretches, last = [1], 0
    for step in steps:
        if abs(step) == 1 and last in (0, step):
            stretches[-1] += 1
            last = step
        else:
            stretches.append(1)
            last = 0
    return min(stretches) >= 3 and numbers[0].value < 10


def _counts_in(values: list[int]) -> bool:
    """Whether the values are 1, 2 and so on, perhaps several times, as musicians count in."""
    if not values or values[0] != 1:
        return False
    return all(two in (1, one + 1) for one, two in pairwise(values)) and (1, 1) not in pairwise(values)


def _is_list(numbers: list[Number]) -> bool:
    """Whether the numbers are a few names of things, such as cars: of three digits each, none begins with 0."""
    return (
        all(len(n.digits) == 3 and n.digits[0] != "0" and not n.spelled for n in numbers)
        and len(numbers) <= 4
        and all(two.start - one.end > 1 for one, two in pairwise(numbers))
    )


def _is_round(number: Number) -> bool:
    return number.digits[0] != "0" and number.digits[-1] == "0"


def _harmless(number: Number, spans: list[tuple[int, int]]) -> bool:
    return number.scaled or any(start <= number.start and number.end <= end for start, end in spans)


def _measured(number: Number, reading: Reading) -> bool:
    """Whether a unit follows."""
    rest = reading.low[number.end : number.end + 14].lstrip()
    word = re.match(r"\w+", rest)
    return rest[:1] in "°%€$£x×" if rest and not word else bool(word and word[0] in _UNITS)


def _is_told(reading: Reading, rest: list[tuple[Run, list[Number]]]) -> bool:
    """Whether the text speaks of a phone, and has enough digits in all."""
    digits = sum(len(number.digits) for _, numbers in rest for number in numbers)
    return digits >= ENOUGH_WITH_CUE and (not _CUES.isdisjoint(reading.has) or bool(_CUE_SIGNS.search(reading.cased)))


def _goes_on(rest: list[tuple[Run, list[Number]]]) -> bool:
    """Whether a number that begins with a zero goes on after other words."""
    digits = 0
    for run, numbers in rest:
        if _counts(run.numbers):
            continue
        if run.words_before > MAX_BETWEEN:
            digits = 0
        for number in numbers:
            if digits or (number.digits[0] == "0" and (len(number.digits) > 1 or number.spelled)):
                digits += len(number.digits)
        if digits > ENOUGH:
            return True
    return False


def _has_lookalike(cased: str) -> bool:
    """Whether letters stand for some digits of a number, as in "O15l"."""
    if not any(map(str.isdecimal, cased)):
        return False
    run: list[str] = []
    end = 0
    for match in DIGIT_TOKEN.finditer(cased):
        if match.start() - end > MAX_GAP or not DIGIT_LIKE.fullmatch(match[0]):
            if _is_lookalike(run):
                return True
            run = []
        if DIGIT_LIKE.fullmatch(match[0]):
            run.append(match[0])
        end = match.end()
    return _is_lookalike(run)


def _is_lookalike(run: list[str]) -> bool:
    size, real = sum(map(len, run)), sum(map(str.isdecimal, "".join(run)))
    return (
        size >= ENOUGH
        and 5 * real >= size
        and real > 1
        and any(FIRM.search(token) and not MEASURE.fullmatch(token) for token in run)
        and sum(bool(CHESS.fullmatch(token)) for token in run) < 2
        and not all(MEASURE.fullmatch(token) for token in run)
        and not any(WORD.fullmatch(token) for token in run)
    )

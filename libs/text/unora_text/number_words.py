"""Numbers in words: English, German, French, Spanish, Portuguese, Italian, Dutch, and digits of more languages."""

from typing import Final

from unora_text.lists import in_order, listed

_UNITS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen"
    " eighteen nineteen",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn "
    "sechzehn siebzehn"
    " achtzehn neunzehn",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "dixsept dixhuit"
    " dixneuf",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete"
    " dieciocho diecinueve",
    "pt": "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis "
    "dezessete dezoito"
    " dezenove",
    "it": "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici"
    " diciassette diciotto diciannove",
    "nl": "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien"
    " achttien negentien",
    "sv": "noll ett två tre fyra fem sex sju åtta nio tio elva tolv",
    "da": "nul en to tre fire fem seks syv otte ni ti",
    "fi": "nolla yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän",
    "pl": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście dwanaście trzynaście",
    "cs": "nula jedna dva tři čtyři pět šest sedm osm devět deset",
    "hu": "nulla egy kettő három négy öt hat hét nyolc kilenc",
    "ro": "zero unu doi trei patru cinci șase șapte opt nouă",
    "hr": "nula jedan dva tri četiri pet šest sedam osam devet",
    "tr": "sıfır bir iki üç dört beş altı yedi sekiz dokuz on",
    "id": "nol satu dua tiga empat lima enam tujuh delapan sembilan",
    "ru": "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать"
    " пятнадцать шестнадцать семнадцать восемнадцать девятнадцать",
    "uk": "нуль один два три чотири п'ять шість сім вісім дев'ять",
    "el": "μηδέν ένα δύο τρία τέσσερα πέντε έξι επτά οκτώ εννέα",
    "ar": "صفر واحد اثنان ثلاثة اربعة خمسة ستة سبعة ثمانية تسعة",
    "he": "אפס אחת שתיים שלוש ארבע חמש שש שבע שמונה תשע",
    "hi": "शून्य एक दो तीन चार पांच छह सात आठ नौ",
    "hi-latn": "shunya ek do teen char paanch che saat aath nau",
    "zh-latn": "ling yi er san si wu liu qi ba jiu",
    "ja-latn": "zero ichi ni san yon go roku nana hachi kyu",
    "ja": "ゼロ いち に さん よん ご ろく なな はち きゅう",
    "ko": "공 일 이 삼 사 오 육 칠 팔 구",
}
_ALSO = {
    0: "oh o zilch nought naught nil nada nichts zeronull rien nulle ooh leer 영 〇 ceros zeri zeros zeroes "
    "nullen nuls 零 まる 공 영 れい ゼロ нол cer шунья",
    1: "ones unos einsen uns uni eine einen una une uma única jedno en won één yek 壹 幺 اثنين ون одна один. жеден",
    2: "twos zweien twees zwo zwoo due deux doua duas ii tu too 贰 两 две اتنين إثنان اثنين שתים",
    3: "threes dreien treses tree drey tres três trois 叁 ثلاث",
    4: "fours vieren cuatros fower fore quattru cuatru 肆 し أربعة اربع",
    5: "fives cincos fünfen cinqs vijven fife 伍 خمس",
    6: "sixes sechsen zessen meia seix 陆 ست",
    7: "sevens siebenen sietes zevens seven's sibn 柒 しち سبع",
    8: "eights achten ochos ate eigth 捌 ثمان",
    9: "nines neunen nueves negens niner nueva neuve 玖 く تسع",
    16: "dezasseis",
    17: "dezassete",
    18: "dezoito",
    19: "dezanove",
    14: "quatorze",
}
_TENS = {
    20: "twenty zwanzig vingt vingts veinte vinte venti twintig двадцать tjugo dwadzieścia yirmi",
    30: "thirty dreißig dreissig trente treinta trinta trenta dertig тридцать trettio trzydzieści otuz",
    40: "forty fourty vierzig quarante cuarenta quarenta quaranta veertig сорок fyrtio czterdzieści kırk",
    50: "fifty fünfzig cinquante cincuenta cinquenta cinquanta vijftig пятьдесят femtio pięćdziesiąt elli",
    60: "sixty sechzig soixante sesenta sessenta sessanta zestig шестьдесят sextio sześćdziesiąt altmış",
    70: "seventy siebzig septante setenta settanta zeventig семьдесят sjuttio siedemdziesiąt yetmiş",
    80: "eighty achtzig huitante octante ochenta oitenta ottanta tachtig восемьдесят åttio osiemdziesiąt seksen",
    90: "ninety neunzig nonante noventa novanta negentig девяносто nittio dziewięćdziesiąt doksan",
}
_HUNDREDS = {
    100: "hundred hundert cent cents cien ciento cem cento honderd сто hundra",
    200: "doscientos doscientas duzentos duzentas duecento двести zweihundert tweehonderd",
    300: "trescientos trescientas trezentos trezentas trecento триста dreihundert driehonderd",
    400: "cuatrocientos quatrocentos quattrocento четыреста vierhundert vierhonderd",
    500: "quinientos quinientas quinhentos quinhentas cinquecento пятьсот fünfhundert vijfhonderd",
    600: "seiscientos seiscientas seiscentos seicento шестьсот sechshundert zeshonderd",
    700: "setecientos setecientas setecentos settecento семьсот siebenhundert zevenhonderd",
    800: "ochocientos ochocientas oitocentos ottocento восемьсот achthundert achthonderd",
    900: "novecientos novecientas novecentos novecento девятьсот neunhundert negenhonderd",
}
SCALES: Final = listed(
    "thousand million billion tausend million millionen mille millions milliards mil millones millón "
    "mila milione milioni"
    " milhão milhões duizend miljoen тысяча тысяч"
)
"""Words that make a quantity of a number: nobody tells a phone number in thousands."""

_MULTIPLIERS = {
    2: "double dbl doppel doppelt doppelte doble doppio doppia duplo dobro dubbel dubbele twice 2x x2 zweimal deuxfois"
    " tweemaal tweekeer",
    3: "triple treble dreifach dreimal triplo tripla tripel driemaal driekeer 3x x3 drievoudig",
    4: "quadruple viermal cuádruple 4x x4 viermaal",
}
MULTIPLIERS: Final = {word: count for count, words in _MULTIPLIERS.items() for word in words.split()}
TIMES: Final = listed("times mal fois veces vez vezes volte keer maal x")

THEN: Final = listed(
    "and then und dann danach darauf puis et ensuite y luego después despues poi quindi e depois en dan "
    "daarna i a och и потом"
    " the die der das le la el il l d o les de da den dem it's its er ist es plus più mas más mais + dash minus strich"
    " bindestrich tiret guion guión trattino traço hífen streepje dot punkt point punto ponto punt space "
    "leerzeichen espace"
    " comma komma virgule coma vírgula virgola slash next finally end fim fin fine ende einde again nochmal zuletzt"
    " finalmente"
)
"""Words that may stand between the parts of one number."""
LINKS: Final = listed("and und et y e en")
"""Words between tens and units."""


WEAK: Final = listed(
    "un una une uno um uma ein eine einen een en ett on er to do si ni hat let cer ten dos te ii tu too "
    "one yi nil nada rien"
    " leer fem sex oh o ooh ate won san go wu liu ba ji jiu shi che saat nau sei sept nueve no dix die "
    "elf die fore tree el"
    " yi si qi san go roku 일 이 삼 사 오 구 공 一 に ご さん いち ون одна один 영 on iki bes alti ena"
)
"""Number words that often mean something else. Alone at the ends of other numbers they do not count."""


def _plain(word: str) -> str:
    return word.replace("ß", "ss").translate(_ACCENTS)


_ACCENTS = str.maketrans(
    "äöüéèêáàãâíóõôúçåśćęąłńışșțăřčšěőίέάόύήώёйëïżźїأإ",
    "aoueeeaaaaioooucascealnisstarcseoιεαουηωеиeizzіاا",
    "'",
)


def _all_words() -> dict[str, int]:
    found: dict[str, int] = {}
    for language in ("ko", "ja", *(_UNITS.keys() - {"ko", "ja"}), "en", "de", "fr", "es", "pt", "it", "nl"):
        found |= {_plain(word): value for value, word in enumerate(_UNITS[language].split())}
    for table in (_ALSO, _TENS, _HUNDREDS):
        found |= {_plain(word): value for value, words in table.items() for word in words.split()}
    return found | _german_umlauts() | _compounds(found)


def _german_umlauts() -> dict[str, int]:
    words = {"fuenf": 5, "zwoelf": 12, "fuenfzehn": 15, "fuenfzig": 50, "dreissig": 30}
    return words | {f"{unit}{und}fuenfzig": value + 50 for unit, und, value in _german_and_dutch() if und == "und"}


def _german_and_dutch() -> list[tuple[str, str, int]]:
    german = in_order("ein zwei drei vier funf sechs sieben acht neun zwo fuenf")
    dutch = in_order("een twee drie vier vijf zes zeven acht negen")
    values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 5]
    return [(unit, "und", value) for unit, value in zip(german, values, strict=True)] + [
        (unit, "en", value) for unit, value in zip(dutch, values[:9], strict=True)
    ]


def _compounds(simple: dict[str, int]) -> dict[str, int]:
    """Numbers of two digits, and hundreds, that are written as one word."""
    found: dict[str, int] = {}
    tens = {_plain(word): value for value, words in _TENS.items() for word in words.split()}
    for unit, link, value in _german_and_dutch():
        found |= {f"{unit}{link}{ten}": value + tenfold for ten, tenfold in tens.items() if ten.endswith("ig")}
        found |= {f"{unit}{ten}": value + tenfold for ten, tenfold in tens.items() if ten.endswith("zig")}
        found |= {f"{unit}{hundred}": 100 * value for hundred in ("hundert", "honderd")}
    for ten, tenfold in tens.items():
        if ten.endswith(("ty", "nte", "ngt")):
            found |= {
                f"{ten}{word}": tenfold + simple[word]
                for word in in_order("one two three four five six seven eight nine")
            }
            found |= {
                f"{ten}{word}": tenfold + simple[word]
                for word in in_order("un deux trois quatre cinq six sept huit neuf")
            }
        if ten.endswith(("i", "nta")):
            for word in in_order("uno due tre quattro cinque sei sette otto nove"):
                stem = ten[:-1] if word in ("uno", "otto") else ten
                found[f"{stem}{word}"] = tenfold + simple[word]
    found |= {
        f"veinti{word}": 20 + simple[word]
        for word in in_order("un uno una dos tres cuatro cinco seis siete ocho nueve")
    }
    found |= {
        f"quatrevingt{word}": 80 + simple[word]
        for word in in_order("un deux trois dix onze douze treize quinze dixhuit")
    }
    return found | {"quatrevingt": 80, "quatrevingts": 80, "soixantedix": 70, "quatrevingtdix": 90}


NUMBER_WORDS: Final = _all_words()
"""What each word means, without accents."""
LONGEST: Final = max(map(len, NUMBER_WORDS))

"""Words of dates: months, birth, signs of the zodiac."""

from typing import Final

from unora_text.lists import in_order

_MONTHS = (
    "january jan januar janner jannuar janvier janv enero ene janeiro gennaio gen januari январь января "
    "stycznia styczen ocak ianuarie leden ledna 1月",
    "february feb februar feber fevrier fev fevr febrero fevereiro febbraio februari февраля февраль "
    "lutego luty subat unora unor",
    "march mar marz maerz mrz mars marzo marco maart mrt марта март marca mart brezna brezen",
    "april apr avril avr abril abr aprile апреля апрель kwietnia kwiecien nisan dubna duben",
    "may mai mayo maio maggio mei мая май maja maj mayis kvetna kveten",
    "june jun juni juin junio junho giugno giu июня июнь czerwca czerwiec haziran cervna cerven",
    "july jul juli juillet juil julio julho luglio lug июля июль lipca lipiec temmuz cervence",
    "august aug aout agosto ago augustus августа август sierpnia sierpien agustos srpna srpen augusti",
    "september sep sept septembre septiembre setembro set settembre sett сентября сентябрь wrzesnia "
    "wrzesien eylul zari",
    "october oct oktober okt octobre octubre outubro out ottobre ott октября октябрь pazdziernika ekim rijna",
    "november nov novembre noviembre novembro ноября ноябрь listopada kasim listopad",
    "december dec dezember dez decembre diciembre dic dezembro dicembre декабря декабрь grudnia grudzien "
    "aralik prosince",
)
MONTHS: Final = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
ROMAN: Final = {roman: number for number, roman in enumerate(in_order("i ii iii iv v vi vii viii ix x xi xii"), 1)}

_ORDINALS = {
    1: "first erste ersten erster ersten premier primero primer primeiro primo eerste 1er 1st",
    2: "second zweite zweiten zweiter deuxieme segundo secondo tweede",
    3: "third dritte dritten dritter troisieme tercero terceiro terzo derde",
    4: "fourth vierte vierten vierter quatrieme vierde quarto",
    5: "fifth funfte funften funfter fuenfte cinquieme vijfde quinto",
    6: "sixth sechste sechsten sechster sixieme zesde sesto sexto",
    7: "seventh siebte siebten siebter siebente septieme zevende settimo setimo",
    8: "eighth achte achten achter huitieme achtste ottavo oitavo",
    9: "ninth neunte neunten neunter neuvieme negende nono",
    10: "tenth zehnte zehnten zehnter dixieme tiende decimo",
    11: "eleventh elfte elften elfter elfde",
    12: "twelfth zwolfte zwolften zwolfter twaalfde",
    13: "thirteenth",
    14: "fourteenth",
    15: "fifteenth",
    16: "sixteenth",
    17: "seventeenth siebzehnte siebzehnten siebzehnter zeventiende",
    18: "eighteenth",
    19: "nineteenth",
    20: "twentieth zwanzigste",
    30: "thirtieth dreissigste dreisigste",
}
ORDINALS: Final = {word: number for number, words in _ORDINALS.items() for word in words.split()}
ORDINAL_ENDINGS: Final = ("sten", "ster", "ste", "ten", "ter", "te", "de", "th", "eme")

BIRTH: Final = (
    r"\b(?:born (?:on|in)|born(?= (?:the|\d|'\d|m\d))|my birthday|birthday|birth ?date|date of birth|dob"
    r"|b-?days?|cake day|turn(?:ing)? \d\d"
    r"|geboren|geb|geburtstag|geburtsdatum|zur welt|jahrgang|baujahr|werde \d\d|hab(?:e)? geburtstag"
    r"|nee? (?:le|en|un|dans|a)|naissance|anniversaire|anniv|mon anniv|"
    r"nacid[oa]|naci|cumple(?:anos)?|cumplo|fecha de nacimiento|vine al mundo|nac"
    r"|nat[oa] (?:il|nel|a|in|l'|\d)|compleanno|compio|data di nascita|classe(?= (?:19|20|'))|venut[oa] al mondo"
    r"|nascid[oa]|nasci|aniversario|niver|faco anos|completo|data de nascimento|vim ao mundo"
    r"|geboortedatum|verjaardag|verjaar|jarig|bouwjaar|ter wereld|gebdat"
    r"|родил\w*|рожд\w*|urodz\w*|fodt|fodd|fodelsedag|fodselsdag|dogum|dogdum|narozen\w*|szulet\w*"
    r"|nascut\w*)\b|\bb\. ?(?=\d|m\d)|[*✱⭐☆🎂🍰🎉👶] ?(?=\d|m\d)|誕生日|生日|生まれ|생일|출생|يوم ميلاد|ميلادي|مواليد"
    r"|יום הולדת|नन्म|जन्म|γεννηθηκα|γενεθλια"
)
ZODIAC: Final = (
    r"\b(?:aries|taurus|gemini|cancer|leo|virgo|libra|scorpio|sagittarius|capricorn|aquarius|pisces|widder"
    r"|stier|zwilling|krebs|lowe|jungfrau|waage|skorpion"
    r"|schutze|steinbock|wassermann|fische|belier|taureau|gemeaux|vierge|balance|scorpion|sagittaire"
    r"|capricorne|verseau|poissons|tauro|geminis|escorpio"
    r"|sagitario|capricornio|acuario|piscis|toro|gemelli|bilancia|scorpione|sagittario|capricorno|acquario"
    r"|pesci|touro|gemeos|virgem|escorpiao"
    r"|aquario|peixes|ram|tweeling|kreeft|leeuw|maagd|weegschaal|schorpioen|boogschutter|steenbok|waterman|vissen)\b"
)
HOLIDAYS: Final = (
    (r"new year'?s day|neujahr|jour de l'an|ano nuevo|capodanno|ano novo|nieuwjaars?dag", 1, 1),
    (r"epiphany|dreikonigstag|dia de reyes|epifania|driekoningen|befana", 1, 6),
    (r"valentine'?s?(?: day)?|valentinstag|saint-valentin|san valentin\w*|dia dos namorados|valentijnsdag", 2, 14),
    (r"leap day|schalttag|29 fevrier|schrikkeldag", 2, 29),
    (r"st\.? patrick'?s day", 3, 17), (r"pi day", 3, 14), (r"april fool'?s?(?: day)?|poisson d'avril", 4, 1),
    (r"koningsdag", 4, 27), (r"star wars day|may the (?:4th|fourth)", 5, 4), (r"bastille day|14 juillet", 7, 14),
    (r"ferragosto", 8, 15), (r"halloween", 10, 31), (r"tag der deutschen einheit", 10, 3), (r"sinterklaas\w*", 12, 5),
    (r"nikolaus\w*", 12, 6),
    (r"christmas eve|heiligabend|heilig abend|nochebuena|vigilia di natale|kerstavond", 12, 24),
    (r"christmas(?: day)?|weihnacht\w*|noel|navidad|natale|natal|kerst\w*|xmas", 12, 25),
    (r"boxing day", 12, 26), (r"new year'?s eve|silvester|nochevieja|capodanno|reveillon|oudejaars\w*", 12, 31),
)  # fmt: skip

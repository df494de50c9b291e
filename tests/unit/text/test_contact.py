"""PR-10: what the guard finds in a text, kind by kind, and what it lets pass.

The examples are the guard's own. The measured lists in `tests/data` are others: see `test_contact_rates.py`.
"""

from __future__ import annotations

from datetime import date

import pytest
from unora_text.contact import Author, Finding, find_contact

pytestmark = pytest.mark.rule("PR-10")
THEODORA = Author("Theodora Blackwell", date(1994, 5, 17))


@pytest.mark.parametrize(
    "text",
    [
        "call +49 151 2345 6789",
        "07700 (bread) 900 (and) 277",
        "null eins fünf eins zwei",
        "oh seven seven double oh nine double oh four one two",
        "null-eins-sieben-sechs, dann doppel fünf, dann drei mal die vier",
        "zéro six trente-neuf quatre-vingt-dix-huit douze trente-quatre",
        "más treinta y cuatro, seis, once, veintidós, cuarenta y uno, nueve",
        "nove três meia, zero zero zero, um dois sete",
        "trecinquezerozerozerosetteottonove",
        "nul zes, tien, nul nul, twaalf, vierendertig",
        "ноль девять ноль ноль один два три четыре",
        "영일영 일이삼사 오육칠팔",
        "0seven7zero0 nine00 four5three",
        "٠٧٧٠٠ ٩٠٠٤٦١",
        "1️⃣ 5️⃣ 1️⃣ 0️⃣ 2️⃣ 3️⃣ 4️⃣ 5️⃣ 6️⃣",
        "❹❶❺ ❺❺❺ ⓿❶❷❻",
        "O77OO 9OO l46",
        "0\u200b1\u200b7\u200b1\u200b5\u200b5\u200b5\u200b5",
    ],
)
def test_a_phone_number_is_found(text: str) -> None:
    assert Finding.PHONE in find_contact(text)


@pytest.mark.parametrize(
    "text",
    [
        "t.me/annak or anna@mail.example",
        "zq dot example dot fr",
        "annak AT zlorpmail DOT com",
        "annakATgmailDOTcom",
        "anna klammeraffe wobelmail punkt de",
        "ana guion bajo k arroba gmail",
        "annak@mail。example",
        "annak․com",
        "t-dot-me-slash-annak",
        "annak (punkt) de",
        "moc.liamg@annak",
        "аннаzq.рф",
        "a n n a k @ m a i l . e x a m p l e",
        "insta @real_anna.k",
        "i n s t a g r a m",
        "i🌷n🌷s🌷t🌷a bakmuts",
        "іnѕtаgrаm",
        "ΙΝSΤΑ kitsune",
        "ɐʇsuᴉ bolodefuba",
        "margatsni: kanna",
        "T3l3gr4m, kohlrabikind",
        "tele gram",
        "ⓢⓝⓐⓟ lolapaella",
        "i\u0336n\u0336s\u0336t\u0336a\u0336 pip",
        "".join(chr(0xE0000 + ord(char)) for char in "insta zimtzicke") + " between the lines",
        "my ig is annabakesbread",
        "such mich auf Instagram unter annamalt",
        "je suis tartinette sur l'appli au fantôme",
        "微信 misobear",
        "카톡 아이디 annak",
        "google my name",
        "anna underscore k",
        "anna#1234",
    ],
)
def test_a_link_a_mail_address_or_a_handle_is_found(text: str) -> None:
    assert Finding.CONTACT in find_contact(text)


@pytest.mark.parametrize(
    "text",
    ["Theodora's trifle", "T-h-e-o-d-o-r-a", "Тhеоdоrа", "th30d0ra bakes", "aroʇɔɐl arodoehT", "thetheodorablackwell",
     "THEODORA", "theo\u200bdora", "𝐓𝐡𝐞𝐨𝐝𝐨𝐫𝐚", "theodora94", "Miss Blackwell", "Theooodora"],
)  # fmt: skip
def test_the_authors_name_is_found(text: str) -> None:
    assert Finding.NAME in find_contact(text, THEODORA)
    assert Finding.NAME not in find_contact(text, Author("Ingrid Solberg"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Jürgen Schöttler", "Juergen grillt"),
        ("Ljubica Đorđević", "Djordjevic kod kuće"),
        ("Светлана Королёва", "Svetlana Koroleva dances"),
        ("Svetlana", "Светлана танцует"),
        ("Siobhán O'Rourke", "O’Rourke's stew"),
        ("桜子 高橋", "私は桜子です"),
        ("प्रियंका शर्मा", "मैं प्रियंका हूँ"),
        ("Anna-Lena Weiß", "so sagt ANNALENA immer"),
    ],
)
def test_a_name_is_found_in_other_spellings_and_scripts(name: str, text: str) -> None:
    assert find_contact(text, Author(name)) == {Finding.NAME}


@pytest.mark.parametrize(
    ("name", "plain", "introduced"),
    [
        ("Rose Miller", "My rose garden", "I'm Rose"),
        ("Joy Adams", "The joy of cooking", "My name is Joy"),
        ("Will Turner", "I will try any soup", "call me Will"),
        ("Ernst Bauer", "Der Ernst des Lebens", "Ich heiße Ernst"),
        ("Pierre Lambert", "Pierre par pierre", "je m'appelle Pierre"),
        ("Luz Campos", "La luz de las siete", "Me llamo Luz"),
        ("Stella Bruno", "Stella cadente", "Mi chiamo Stella"),
        ("Rosa Branco", "Rosa, amarelo, azul", "Chamo-me Rosa"),
        ("Storm Bakker", "Storm op zee", "Ik heet Storm"),
        ("桜 田中", "桜の下で昼寝", "私は桜です"),
        ("Rose Miller", "Rose and sage", "Rose Miller"),
        ("Rose Miller", "A rose is a rose", "r-o-s-e"),
    ],
)
def test_a_name_that_is_a_common_word_is_found_only_where_it_names(name: str, plain: str, introduced: str) -> None:
    assert not find_contact(plain, Author(name))
    assert Finding.NAME in find_contact(introduced, Author(name))


def test_who_introduces_anybody_by_name_is_found_without_a_known_name() -> None:
    assert find_contact("Ich heiße Friederike") == {Finding.NAME}


@pytest.mark.parametrize(
    "text",
    [
        "geboren am 17. Mai 1994", "17.05.94", "17/5/1994", "5/17/1994", "1994-05-17", "17051994", "May 17th",
        "le dix-sept mai", "siebzehnter Mai", "diecisiete de mayo", "il diciassette maggio", "dezassete de maio",
        "zeventien mei", "the seventeenth of May", "17 V 1994", "1994年5月17日", "١٧/٥/١٩٩٤", "1️⃣7️⃣ 5️⃣ 9️⃣4️⃣", "17 мая",
    ],
)  # fmt: skip
def test_the_authors_birth_date_is_found(text: str) -> None:
    assert Finding.DATE in find_contact(text, THEODORA)


@pytest.mark.parametrize(
    "text", ["geboren am 3. Mai 1990", "née le 2 juin", "mi cumple: 3 de marzo", "nata il 9/11/1988", "born in 1987"]
)
def test_any_date_of_birth_is_found_where_the_text_says_what_it_is(text: str) -> None:
    assert Finding.DATE in find_contact(text)


@pytest.mark.parametrize(
    "text", ["24 December is for board games", "Since 1994", "9 November 1989", "4th of July", "31.12."]
)
def test_other_dates_pass(text: str) -> None:
    assert not find_contact(text, THEODORA)


@pytest.mark.parametrize(
    "text",
    [
        "Hauptstraße 12, zweiter Stock", "14 Elmwood Avenue", "12 rue de la Paix", "Calle Mayor 5", "Via Roma 10",
        "Rua das Flores 8", "Kerkstraat 7", "Kirchgasse fünf", "1012 AB Amsterdam", "PO Box 4471", "ul. Długa 8",
        "Lindenstraße, Hausnummer 7", "東京都架空区桜町1-2-3", "Οδός Ερμού 15", "Carrera 7 # 45-10",
    ],
)  # fmt: skip
def test_an_address_is_found(text: str) -> None:
    assert Finding.ADDRESS in find_contact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Blink-182 in the car", "Schalke 04 und Mainz 05", "Node.js and .NET, sorry", "will.i.am? I won't",
        "u.s.w., z. B.",
        "Route 66 at 6 am", "250 g flour, 3 eggs, 180 °C, 45 min", "42 km and 195 m", "Volley: 25-23, 23-25, 15-13",
        "1666, 1812, 1989: I read about years", "5, 6, 7, 8!", "un due tre, un due tre, valzer", "Haiku: 5-7-5",
        "3.14159265 and counting", "127.0.0.1 sweet home", "1.000.000 Schritte", "f/1.8 at 1/250, ISO 400",
        "Chess: 1. e4 e5 2. Nf3 Nc6", "Abbey Road, side B", "Jakobsweg, 800 km", "21 Jump Street", "Calle 13, la banda",
        "You'll find me in the kitchen", "Call me old-fashioned", "Signal boxes and steam trains",
        "Snap peas and gossip",
        "I quit Instagram for film", "Instagram gelöscht", "Sans Facebook depuis longtemps", "the dot com crash",
        "Broderie au point de croix", "Punto de cruz y radio", "Scala a chiocciola", "@home with a cat",
        "Frida Kahlo on my wall", "Я люблю борщ и jazz", "日本 and Osaka", "Καλημέρα, καφές",
        "أحب القهوة", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 till I fall",
    ],
)  # fmt: skip
def test_a_harmless_text_passes(text: str) -> None:
    assert not find_contact(text, THEODORA)


def test_a_finding_is_told_without_the_text() -> None:
    assert repr(Author("Theodora")) != repr("Theodora")
    assert "Theodora" not in repr(Author("Theodora"))
    assert {str(each) for each in Finding} == {"name", "phone", "contact", "date", "address"}

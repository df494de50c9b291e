"""RE-06: what the guard finds, in any way of writing, and what it lets pass."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Literal, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_reveal.domain.facts import Facts, FramedText
from unora_reveal.domain.guard import Fault, Guard

from tests.unit.reveal.facts import few_examples, make_facts, make_hobby, name_digests, name_words

pytestmark = pytest.mark.rule("RE-06")
BIO = "I teach physics to teenagers and I am slow to text but quick to laugh."
EDGES = st.sampled_from(["", ".", ",", "!", "?", ":", "…", "'s", "’s", '"', ")", "—", "\u200b"])
GAPS = st.sampled_from([" ", "  ", "\n", ", ", " - ", "—", "... ", " / ", "\u00a0", "\u200b "])
CASES: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([str.upper, str.lower, str])
Form: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: st.SearchStrategy[Form] = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])


@few_examples
@given(name_words, EDGES, CASES, FORMS, st.binary(min_size=16, max_size=16))
def test_a_name_is_found_in_any_case_form_and_punctuation(
    name: str, edge: str, case: Callable[[str], str], form: Form, salt: bytes
) -> None:
    guard = Guard(make_facts(name, salt=salt))
    planted = unicodedata.normalize(form, f"You will like how ({case(name)}{edge} laughs.")
    assert Fault.NAME in guard.faults(planted)


@pytest.mark.parametrize(
    "text",
    ["Ask Ada!", "ADA'S garden", "it is a.d.a. herself", "A D A", "Äda", "„Ada“", "Ada-like", "Аdа", "ⓐⓓⓐ", "A🌻d🌻a"],
)
def test_a_name_is_found_in_other_ways_of_writing(text: str) -> None:
    assert Guard(make_facts("Ada Quixley")).faults(text) == {Fault.NAME}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Anna-Lena Weiß", "so sagt ANNA-LENA immer"),
        ("Anna-Lena Weiß", "Frau WEISS kommt"),
        ("D'Arcy", "Mr D'Arcy walks"),
        ("Jean-Luc's", "(jean-luc's!)"),
        ("İpek", "“İPEK's”"),
        ("अनिल", "(अनिल’s)"),
        ("李雷", "我是李雷。"),
        ("Zoë", "and zoë smiles"),
        ("Ｚｏｅ", "and Ｚｏｅ smiles"),
    ],
)
def test_names_of_many_languages_are_found(name: str, text: str) -> None:
    assert Fault.NAME in Guard(make_facts(name)).faults(text)


def test_parts_of_words_and_initials_are_not_taken_for_names() -> None:
    guard = Guard(make_facts("Art A"))
    assert not guard.faults("A party starts with a cart full of artichokes.")


def test_a_name_is_found_only_with_the_salt_of_the_call() -> None:
    one, other = name_digests("ada", b"one"), name_digests("ada", b"other")
    assert one.isdisjoint(other)


own_words = st.lists(
    st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzäöüß"), min_size=1, max_size=8), min_size=5, max_size=20
)


@few_examples
@given(own_words, st.data())
def test_five_of_the_members_own_words_in_a_row_are_found(own: list[str], data: st.DataObject) -> None:
    guard = Guard(make_facts("", make_hobby("chess", " ".join(own))))
    start = data.draw(st.integers(0, len(own) - 5))
    run = "".join(data.draw(CASES)(word) + data.draw(GAPS) for word in own[start : start + 5])
    assert Fault.OWN_WORDS in guard.faults(f"They told us: {run}and so on.")


@pytest.mark.parametrize("facts", [make_facts(bio=BIO), make_facts(occupation=BIO), make_facts(city=BIO)])
def test_every_free_text_of_the_member_is_compared(facts: Facts) -> None:
    guard = Guard(facts)
    assert guard.faults("Slow to text, but quick!") == {Fault.OWN_WORDS}


def test_four_words_in_a_row_pass() -> None:
    assert not Guard(make_facts("", bio=BIO)).faults(
        "Someone who is slow to text but thoughtful, and often quick to laugh."
    )


def test_own_words_are_found_across_title_and_text() -> None:
    guard = Guard(make_facts("", bio=BIO))
    assert not guard.passes(FramedText("Slow to text", "but quick to smile"))


def test_own_words_in_a_script_without_spaces_are_found() -> None:
    assert Guard(make_facts("", bio="我喜欢在清晨散步")).faults("（我喜欢、在清）") == {Fault.OWN_WORDS}


@few_examples
@given(
    st.text(st.sampled_from("0123456789٠١٢٣٤٥٦٧٨٩０１２３"), min_size=6, max_size=14), st.sampled_from(list(" -./()"))
)
def test_a_phone_number_is_found_with_any_separator(digits: str, separator: str) -> None:
    assert Fault.PHONE in Guard(make_facts()).faults(f"Reach out: {separator.join(digits)} soon")


@pytest.mark.parametrize(
    "text",
    [
        "+49 (0) 171 / 555-01-23",
        "five five five oh one two three",
        "o, 5 five 5 0 1 2 3",
        "0\u200b1\u200b7\u200b1\u200b5\u200b5\u200b5",
    ],
)
def test_a_phone_number_is_found_in_other_ways_of_writing(text: str) -> None:
    assert Fault.PHONE in Guard(make_facts()).faults(text)


handles = st.from_regex(r"[a-z]{3,10}", fullmatch=True)


@few_examples
@given(
    handles,
    st.sampled_from(
        ["@{}", "＠{}", "{}@mail.example", "https://{}.example", "www.{}.example", "{}.com", "{}_93", "{}93",
         "insta: {}", "IG {}", "{} (at) mail dot example", "{} at mail dot com", "telegram {}",
         "Whats App {}", "e-mail {}"]
    ),
)  # fmt: skip
def test_a_contact_is_found(handle: str, form: str) -> None:
    assert Fault.CONTACT in Guard(make_facts()).faults(f"Say hello: {form.format(handle)} any time")


@pytest.mark.parametrize(
    "text",
    [
        "born 1990-12-10",
        "10.12.1990",
        "10/12/90",
        "10 - 12 - 1990",
        "on 10 December",
        "December 10th",
        "the tenth of December",
        "Dec. 10, 1990",
        "May the fourth",
        "the twenty-first of June",
    ],
)
def test_an_exact_date_is_found(text: str) -> None:
    assert Fault.DATE in Guard(make_facts()).faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "They may like a long walk in December, or two.",
        "Since 2019, one thing has stayed.",
        "A march along the river; 3 or 4 friends at most.",
        "Dates? They prefer evenings. Dots and stripes, too!",
    ],
)
def test_a_text_without_personal_data_passes(text: str) -> None:
    assert not Guard(make_facts("Ada Quixley", make_hobby("chess", "the slow kind"), bio=BIO)).faults(text)

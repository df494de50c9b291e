"""PR-10: words of hobbies that tell how to reach or name their author are refused when written, and hidden if there."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from unora_identity.domain import contact_details
from unora_identity.domain.card import make_card
from unora_identity.domain.contact_details import ContactDetails, find_in_hobbies, require_no_contact, reviewed
from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.onboarding import is_ready
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Profile
from unora_text.contact import Finding, tells_number

from tests.unit.identity.test_card import READY

pytestmark = pytest.mark.rule("PR-10")

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
ANNA = Profile(name="Anna Quixley", date_of_birth=date(1994, 5, 17))


def hobbies(*texts: str) -> list[Hobby]:
    return [Hobby(f"hobby_{number}", text) for number, text in enumerate(texts)]


def test_all_fields_are_named_in_one_refusal_and_no_text_is() -> None:
    texts = ("the slow kind", "call +49 151 2345 6789", "ask for Anna", "early, uphill", "insta @real_anna.k")
    with pytest.raises(ContactDetails) as refused:
        require_no_contact(hobbies(*texts), ANNA)
    assert list(refused.value.violations) == [f"hobbies[{at}].micro_description" for at in (1, 2, 4)]
    assert refused.value.metadata["found"].split(",") == sorted(refused.value.metadata["found"].split(","))
    assert {"name", "phone", "contact"} <= set(refused.value.metadata["found"].split(","))
    told = f"{refused.value.violations} {refused.value.metadata} {refused.value}"
    assert not any(word in told.lower() for word in ("anna", "2345", "insta"))


def test_the_name_is_that_of_the_author() -> None:
    require_no_contact(hobbies("with Beatrix on Sundays"), ANNA)
    with pytest.raises(ContactDetails):
        require_no_contact(hobbies("with Beatrix on Sundays"), replace(ANNA, name="Beatrix"))


def test_a_number_that_is_spread_over_several_texts_is_found_and_its_neighbours_are_not_blamed() -> None:
    found = find_in_hobbies(["the slow kind", "0151", "234", "5678", "uphill"], ANNA)
    assert found == {at: frozenset({Finding.PHONE}) for at in (1, 2, 3)}
    assert find_in_hobbies(["since 1998", "the slow kind", "2004 was fun"], ANNA) == {}


def test_texts_that_each_tell_a_part_are_read_a_few_times_and_not_once_for_each_pair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def tells(text: str) -> bool:
        asked.append(text)
        return tells_number(text)

    monkeypatch.setattr(contact_details, "tells_number", tells)
    texts = ["my 5 cats", "love 4 mice", "01", "51", "234", "567", "uphill", "0171", "99", "887"]
    assert set(find_in_hobbies(texts, ANNA)) == {2, 3, 4, 5, 7, 8, 9}
    assert len(asked) <= 2 * len(texts) + 1


def test_hidden_words_are_on_no_card_and_the_hobby_and_readiness_stay() -> None:
    policy = Policy()
    named = replace(READY, hobbies=(Hobby("chess", f"{READY.profile.name} plays"), *READY.hobbies[1:]))
    member = replace(named, hobbies=reviewed(named.hobbies, named.profile))
    assert [hobby.hidden for hobby in member.hobbies] == [True, False]
    card = make_card(member, NOW, policy)
    assert card.contents is not None
    assert card.contents.hobbies == (Hobby("chess", ""), *READY.hobbies[1:])
    assert is_ready(member, NOW, policy)
    assert not any(hobby.hidden for hobby in reviewed(member.hobbies, Profile(name="Beatrix")))

"""What a batch consists of, and what a card can show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields
from random import Random
from uuid import UUID, uuid4

import pytest
from unora.discovery.v1.discovery_service_pb2 import Card as CardMessage
from unora.discovery.v1.discovery_service_pb2 import CardContent as CardContentMessage
from unora.discovery.v1.discovery_service_pb2 import CardHobby as CardHobbyMessage
from unora_discovery.domain.cards import Card, CardContent, CardHobby, DealtCard, deal, require_five
from unora_discovery.domain.errors import PoolTooSmall
from unora_discovery.domain.filters import Filters
from unora_discovery.domain.policy import Odds
from unora_discovery.domain.pool import AgeBand, Candidate, Hobby
from unora_discovery.domain.search import SearchResult
from unora_discovery.messages.cards import to_card

CHESS = Hobby("chess", "Chess", "the slow kind")
HIKING = Hobby("hiking", "Hiking", "early, uphill")


def candidates(count: int) -> list[Candidate]:
    return [
        Candidate(
            user_id=uuid4(),
            profile_version=1,
            age_band=AgeBand.FROM_30,
            city=f"City {number}",
            place_id=f"{number}",
            trust_level=number % 5 + 1,
            hobbies=(CHESS, HIKING),
        )
        for number in range(count)
    ]


def dealt_of(
    ranked: Sequence[Candidate], hobbies: Collection[str] = (), new_id: Callable[[], UUID] = uuid4
) -> tuple[DealtCard, ...]:
    """The batch of the five best."""
    return deal(SearchResult(tuple(ranked)), hobbies, Odds(0, 1), Random(1), new_id)


@pytest.mark.rule("DI-02")
def test_five_cards_of_the_five_best() -> None:
    ranked = candidates(9)
    dealt = dealt_of(ranked, {"chess"})
    assert {each.shown_user_id for each in dealt} == {candidate.user_id for candidate in ranked[:5]}
    assert [each.card.position for each in dealt] == [1, 2, 3, 4, 5]
    assert len({each.card.id for each in dealt}) == 5


@pytest.mark.rule("DI-02")
@pytest.mark.parametrize("count", range(5))
def test_fewer_than_five_make_no_batch_and_the_refusal_does_not_say_how_few(count: int) -> None:
    with pytest.raises(PoolTooSmall) as refused:
        require_five(SearchResult(tuple(candidates(count))), Filters())
    assert refused.value.metadata == {}


@pytest.mark.rule("DI-02")
def test_more_than_five_make_five() -> None:
    assert len(dealt_of(candidates(9))) == 5


@pytest.mark.rule("DI-07")
def test_shared_hobbies_are_marked() -> None:
    card = dealt_of(candidates(5), {"hiking", "singing"})[0].card
    assert card.hobbies == (
        CardHobby("chess", "Chess", "the slow kind", shared=False),
        CardHobby("hiking", "Hiking", "early, uphill", shared=True),
    )


@pytest.mark.rule("DI-08", "DI-15", "DI-16")
def test_a_card_has_no_other_fields() -> None:
    content = {"hobbies", "age_band", "city", "trust_level"}
    assert {field.name for field in fields(CardContent)} == content
    assert {field.name for field in CardContentMessage.DESCRIPTOR.fields} == content
    allowed = content | {"position", "interest_sent"}
    assert {field.name for field in fields(Card)} == allowed | {"id"}
    assert {field.name for field in CardMessage.DESCRIPTOR.fields} == allowed | {"card_id"}
    hobby = {"hobby_option_id", "name", "micro_description", "shared"}
    assert {field.name for field in fields(CardHobby)} == hobby
    assert {field.name for field in CardHobbyMessage.DESCRIPTOR.fields} == hobby


@pytest.mark.rule("DI-08")
def test_the_id_of_a_card_does_not_depend_on_the_member_shown() -> None:
    ranked = candidates(5)
    ids = [UUID(int=number) for number in range(5)]
    given = iter(ids)
    dealt = dealt_of(ranked, (), lambda: next(given))
    assert [UUID(to_card(each.card).card_id) for each in dealt] == ids

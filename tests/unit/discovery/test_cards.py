"""What a batch is made of, and what a card can hold."""

from __future__ import annotations

from dataclasses import fields
from uuid import UUID, uuid4

import pytest
from unora.discovery.v1.discovery_service_pb2 import Card as CardMessage
from unora.discovery.v1.discovery_service_pb2 import CardHobby as CardHobbyMessage
from unora_discovery.domain import AgeBand, Candidate, Card, CardHobby, Hobby, PoolTooSmall, deal
from unora_discovery.messages import to_card

CHESS = Hobby("chess", "Chess", "the slow kind")
HIKING = Hobby("hiking", "Hiking", "early, uphill")


def candidates(count: int) -> list[Candidate]:
    return [
        Candidate(
            user_id=uuid4(),
            age_band=AgeBand.FROM_30,
            city=f"City {number}",
            trust_level=number % 5 + 1,
            hobbies=(CHESS, HIKING),
        )
        for number in range(count)
    ]


@pytest.mark.rule("DI-02", "DI-07")
def test_five_cards_in_the_order_of_the_ranking() -> None:
    ranked = candidates(5)
    dealt = deal(ranked, {"chess"}, uuid4)
    assert [each.shown_user_id for each in dealt] == [candidate.user_id for candidate in ranked]
    assert [each.card.position for each in dealt] == [1, 2, 3, 4, 5]
    assert len({each.card.id for each in dealt}) == 5


@pytest.mark.rule("DI-02")
@pytest.mark.parametrize("count", range(5))
def test_fewer_than_five_make_no_batch_and_it_is_not_told_how_few(count: int) -> None:
    with pytest.raises(PoolTooSmall) as refused:
        deal(candidates(count), (), uuid4)
    assert refused.value.metadata == {}


@pytest.mark.rule("DI-02")
def test_more_than_five_make_five() -> None:
    assert len(deal(candidates(9), (), uuid4)) == 5


@pytest.mark.rule("DI-07")
def test_hobbies_of_both_are_marked() -> None:
    card = deal(candidates(5), {"hiking", "singing"}, uuid4)[0].card
    assert card.hobbies == (
        CardHobby("chess", "Chess", "the slow kind", shared=False),
        CardHobby("hiking", "Hiking", "early, uphill", shared=True),
    )


@pytest.mark.rule("DI-08")
def test_a_card_has_no_place_for_anything_else() -> None:
    allowed = {"position", "hobbies", "age_band", "city", "trust_level"}
    assert {field.name for field in fields(Card)} == allowed | {"id"}
    assert {field.name for field in CardMessage.DESCRIPTOR.fields} == allowed | {"card_id"}
    hobby = {"hobby_option_id", "name", "micro_description", "shared"}
    assert {field.name for field in fields(CardHobby)} == hobby
    assert {field.name for field in CardHobbyMessage.DESCRIPTOR.fields} == hobby


@pytest.mark.rule("DI-08")
def test_the_id_of_a_card_does_not_come_from_who_is_shown() -> None:
    ranked = candidates(5)
    ids = [UUID(int=number) for number in range(5)]
    given = iter(ids)
    dealt = deal(ranked, (), lambda: next(given))
    assert [UUID(to_card(each.card).card_id) for each in dealt] == ids

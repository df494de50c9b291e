"""PR-10, DI-08: words that were hidden are on no card, neither on new ones nor on those that were dealt before."""

from __future__ import annotations

import pytest
from unora.discovery.v1.discovery_service_pb2 import Batch
from unora.identity.v1.profile_service_pb2 import Hobby, Profile
from unora_testing.world import World

from tests.integration.discovery.pool import Pool, new_id
from tests.integration.identity.people import People, Signed

pytestmark = pytest.mark.rule("PR-10", "DI-08")

SLOW = Profile(name="Slow Quixley")
"""A name that the words of Ada's chess hold."""


@pytest.fixture
async def ada(world: World, pool: Pool, people: People) -> Signed:
    """Nobody but the viewers shares more with a viewer."""
    await pool.empty()
    ada = await people.ready()
    await pool.join(ada.member)
    await pool.members(8, "poetry", "running")
    return ada


def words(batch: Batch) -> dict[str, str]:
    """The words on Ada's card, by hobby."""
    cards = [{hobby.hobby_option_id: hobby.micro_description for hobby in card.hobbies} for card in batch.cards]
    (adas,) = (card for card in cards if set(card) == {"chess", "hiking"})
    return adas


SHOWN = {"chess": "the slow kind", "hiking": "early, uphill, alone"}
HIDDEN = {**SHOWN, "chess": ""}


async def test_words_that_are_hidden_disappear_from_dealt_cards_and_come_on_no_new_one(
    world: World, pool: Pool, people: People, ada: Signed
) -> None:
    me, other, request = await pool.member("chess", "singing"), await pool.member("chess", "singing"), new_id()
    assert words((await pool.refresh(me, request=request)).batch) == SHOWN
    await people.update_profile(ada, SLOW, "name")
    await world.drain()
    assert words((await pool.screen(me)).batch) == HIDDEN
    assert words((await pool.refresh(other)).batch) == HIDDEN
    # The repeat of a call gets the cards of its first answer, without these words.
    assert words((await pool.refresh(me, request=request)).batch) == HIDDEN


async def test_a_card_that_is_dealt_before_discovery_has_heard_loses_the_words_too(
    world: World, pool: Pool, people: People, ada: Signed
) -> None:
    me = await pool.member("chess", "singing")
    await people.update_profile(ada, SLOW, "name")
    assert words((await pool.refresh(me)).batch) == SHOWN
    await world.drain()
    assert words((await pool.screen(me)).batch) == HIDDEN


async def test_words_that_were_rewritten_since_are_not_shown_after_a_review(
    world: World, pool: Pool, people: People, ada: Signed
) -> None:
    """Identity has them no more, and cannot judge them."""
    me = await pool.member("chess", "singing")
    await pool.refresh(me)
    chess = Hobby(hobby_option_id="chess", micro_description="blitz only")
    await people.set_hobbies(ada, chess, Hobby(hobby_option_id="hiking", micro_description=SHOWN["hiking"]))
    await world.drain()
    assert words((await pool.screen(me)).batch) == SHOWN
    await people.update_profile(ada, SLOW, "name")
    await world.drain()
    assert words((await pool.screen(me)).batch) == HIDDEN


async def test_the_job_hides_words_on_dealt_cards(world: World, pool: Pool, people: People, ada: Signed) -> None:
    me = await pool.member("chess", "singing")
    await world.superuser.execute(
        "UPDATE identity.hobbies SET micro_description = 'call +49 151 2345 6789' WHERE user_id = $1 AND position = 1",
        ada.member.user,
    )
    await world.superuser.execute(
        """UPDATE discovery.candidates
        SET hobbies = jsonb_set(hobbies, '{0,micro_description}', '"call +49 151 2345 6789"') WHERE user_id = $1""",
        ada.member.user,
    )
    assert words((await pool.refresh(me)).batch)["chess"] == "call +49 151 2345 6789"
    await world.drain()
    assert words((await pool.screen(me)).batch) == HIDDEN

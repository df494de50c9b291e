"""Every screen of an app, drawn from at most two calls (docs/screens.md has the same table)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from unora.billing.v1.billing_service_pb2 import ListPlansRequest
from unora.billing.v1.wallet_service_pb2 import GetWalletRequest
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import GetScreenRequest, ListPartnerCardsRequest, ListServersRequest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.device_service_pb2 import GetNotificationSettingsRequest
from unora.identity.v1.profile_service_pb2 import GetOnboardingRequest, GetProfileRequest
from unora.reveal.v1.reveal_service_pb2 import ListPartnerNamesRequest, ListRevealsRequest
from unora.safety.v1.safety_service_pb2 import GetSafetyCentreRequest, SubmitAppealRequest
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest, GetStreakRequest, ListNudgesRequest
from unora_local.cast import PEOPLE
from unora_local.client import Refused, Unexpected, request_id

from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

MOST_CALLS: Final = 2
Elements = Mapping[str, Any]
"""What a screen shows, by the name of each element; empty if this member has nothing to show there."""


async def onboarding(member: Member, streak_id: str) -> Elements:
    """What a member still has to fill in, and what they have."""
    asked = await member.session.call(member.gateway.profiles.GetOnboarding, GetOnboardingRequest())
    own = await member.session.call(member.gateway.profiles.GetProfile, GetProfileRequest())
    return {"steps": asked.missing, "fields": asked.missing_fields, "name": own.profile.name, "hobbies": own.hobbies}


async def home(member: Member, streak_id: str) -> Elements:
    """Where the member stands."""
    account = (await member.session.call(member.gateway.accounts.GetAccount, GetAccountRequest())).account
    board = await member.session.call(member.gateway.streaks.GetDashboard, GetDashboardRequest())
    return {
        "tier": account.tier,
        "trust level": account.trust_level,
        "slots": (account.active_connection_count, account.connection_limit),
        "next refresh": account.refresh_available_at.seconds,
        "what can be done": [action for streak in board.streaks for action in streak.actions],
        "reveals that wait": [number for streak in board.streaks for number in streak.reveals_waiting],
        "clock": board.server_time.seconds,
    }


async def discovery(member: Member, streak_id: str) -> Elements:
    """Five cards, or why there are none."""
    calls = member.gateway.discovery
    servers = (await member.session.call(calls.ListServers, ListServersRequest())).servers
    answer = await member.session.call(calls.GetScreen, GetScreenRequest(server_type=SERVER_TYPE_PARTNER))
    cards = answer.screen.batch.cards
    return {
        "servers": servers,
        "cards": [(card.card_id, card.hobbies, card.age_band, card.trust_level, card.city) for card in cards],
        "an interest was sent on": [card.card_id for card in cards if card.interest_sent],
        "no slot is open": answer.screen.capacity_locked,
        "next refresh": answer.screen.refresh_available_at.seconds,
        "clock": answer.server_time.seconds,
    }


async def dashboard(member: Member, streak_id: str) -> Elements:
    """Each streak with its partner's card, and a countdown."""
    board = await member.session.call(member.gateway.streaks.GetDashboard, GetDashboardRequest())
    cards = (await member.session.call(member.gateway.discovery.ListPartnerCards, ListPartnerCardsRequest())).cards
    hobbies = {each.connection_id: [hobby.name for hobby in each.card.hobbies] for each in cards}
    streaks = board.streaks
    return {
        "partners": [hobbies[each.connection_id] for each in streaks],
        "states and days": [(each.state, each.current_day, each.completed_days) for each in streaks],
        "what can be done": [action for each in streaks for action in each.actions],
        "date and zone": [(each.check_in_date.day, each.time_zone) for each in streaks],
        "at risk from": [each.becomes_at_risk_at.seconds for each in streaks if each.becomes_at_risk_at.seconds],
        "the day ends": [each.day_ends_at.seconds for each in streaks if each.day_ends_at.seconds],
        "clock": board.server_time.seconds,
    }


async def streak(member: Member, streak_id: str) -> Elements:
    """The days of one streak."""
    calls = member.gateway.streaks
    answer = await member.session.call(calls.GetStreak, GetStreakRequest(streak_id=streak_id))
    nudges = await member.session.call(calls.ListNudges, ListNudgesRequest(streak_id=streak_id))
    return {
        "days": [(each.day, each.user_id == member.id) for each in answer.check_ins],
        "state and cycle": (answer.streak.state, answer.streak.cycle),
        "nudges": nudges.nudges,
        "clock": answer.server_time.seconds,
    }


async def reveals(member: Member, streak_id: str) -> Elements:
    """The five reveals of one streak, and the names that are known."""
    calls = member.gateway.reveals
    five = (await member.session.call(calls.ListReveals, ListRevealsRequest(streak_id=streak_id))).reveals
    names = (await member.session.call(calls.ListPartnerNames, ListPartnerNamesRequest())).partners
    return {
        "states": [each.status for each in five],
        "texts": [each.framed.text for each in five if each.framed.text],
        "names": [each.first_name for each in names],
        "thumbnails": [each.thumbnail_url for each in names if each.thumbnail_url],
    }


async def wallet(member: Member, streak_id: str) -> Elements:
    """Credits, subscription, payments and prices."""
    own = await member.session.call(member.gateway.wallet.GetWallet, GetWalletRequest())
    plans = await member.session.call(member.gateway.billing.ListPlans, ListPlansRequest())
    return {
        "balance": own.balance,
        "ledger": [(each.kind, each.amount) for each in own.entries],
        "payments": [(each.purpose, each.status, each.amount) for each in own.payments],
        "subscription": own.subscription.subscription_id,
        "tier": own.tier,
        "plans": plans.plans,
        "prices": plans.prices,
    }


async def settings(member: Member, streak_id: str) -> Elements:
    """The account, and what the member wants to be told."""
    account = (await member.session.call(member.gateway.accounts.GetAccount, GetAccountRequest())).account
    asked = GetNotificationSettingsRequest()
    told = (await member.session.call(member.gateway.devices.GetNotificationSettings, asked)).settings
    return {
        "member since": account.created_at.seconds,
        "discovery-ready": account.discovery_ready,
        "muted": told.muted,
        "quiet hours": told.quiet_hours.begin,
    }


async def safety_centre(member: Member, streak_id: str) -> Elements:
    """Whom the member blocked and reported, and their appeals."""
    own = await member.session.call(member.gateway.safety.GetSafetyCentre, GetSafetyCentreRequest())
    return {
        "blocks": own.blocks,
        "blocked cards": [each.content.hobbies for each in own.cards],
        "reports": [(each.category, each.state) for each in own.reports],
        "appeals": [each.decision for each in own.appeals],
    }


@dataclass(frozen=True)
class Screen:
    """A screen, and how it is drawn."""

    title: str
    methods: tuple[str, ...]
    draw: Callable[[Member, str], Awaitable[Elements]]


SCREENS: Final = (
    Screen("onboarding", ("ProfileService.GetOnboarding", "ProfileService.GetProfile"), onboarding),
    Screen("home", ("AccountService.GetAccount", "StreakService.GetDashboard"), home),
    Screen("discovery", ("DiscoveryService.ListServers", "DiscoveryService.GetScreen"), discovery),
    Screen("dashboard", ("StreakService.GetDashboard", "DiscoveryService.ListPartnerCards"), dashboard),
    Screen("streak detail", ("StreakService.GetStreak", "StreakService.ListNudges"), streak),
    Screen("reveals", ("RevealService.ListReveals", "RevealService.ListPartnerNames"), reveals),
    Screen("wallet", ("WalletService.GetWallet", "BillingService.ListPlans"), wallet),
    Screen("settings", ("AccountService.GetAccount", "DeviceService.GetNotificationSettings"), settings),
    Screen("safety centre", ("SafetyService.GetSafetyCentre",), safety_centre),
)


ONBOARDING: Final = SCREENS[0]


async def first_look(stage: Stage, note: Note) -> None:
    """The screen of a new member says what to fill in."""
    new = Member(PEOPLE[0], 0, stage.sessions[0], ())
    elements = await _draw(stage, ONBOARDING, new, "")
    note.detail = f"{len(elements['steps'])} steps, {', '.join(elements['fields'])}"


async def glance(stage: Stage, note: Note, title: str) -> None:
    """One screen of everybody, while it has something to show that passes."""
    await stage.clock.wait_until_idle()
    (screen,) = (each for each in SCREENS if each.title == title)
    looked = await _draw_for_all(stage, [screen])
    note.detail = f"{title} of {looked} members"


async def look(stage: Stage, note: Note) -> None:
    """Each screen of every member takes the calls that it names, and each of its elements has something to show for one
    of them at least: with nothing but these calls, an app can draw it.
    """
    appeal = SubmitAppealRequest(request_id=request_id(), text="Please look at a report about me.")
    await stage.members[-1].session.call(stage.gateway.safety.SubmitAppeal, appeal)
    await stage.clock.wait_until_idle()
    looked = await _draw_for_all(stage, SCREENS)
    empty = sorted(element for element, is_shown in stage.drawn.items() if not is_shown)
    if empty:
        raise Unexpected(f"these elements of screens have nothing to show for anybody: {empty}")
    note.detail = f"{len(SCREENS)} screens of {looked} members, {len(stage.drawn)} elements, {MOST_CALLS} calls at most"


async def _draw_for_all(stage: Stage, screens: Sequence[Screen]) -> int:
    """Draws these screens of all who may see them; returns how many members that are."""
    looked = 0
    for member in stage.members:
        try:
            looked += await _draw_for(stage, screens, member)
        except Refused as refused:
            # Who closed the account, or lost the number, sees none; some processes learn of it seconds after others.
            if refused.reason != "SESSION_REVOKED":
                raise
    return looked


async def _draw_for(stage: Stage, screens: Sequence[Screen], member: Member) -> bool:
    """Draws these screens of one member; returns whether they may see them."""
    account = (await member.session.call(stage.gateway.accounts.GetAccount, GetAccountRequest())).account
    if account.suspended:
        return False
    board = await member.session.call(stage.gateway.streaks.GetDashboard, GetDashboardRequest())
    for screen in screens:
        if board.streaks or screen.draw not in (streak, reveals):
            await _draw(stage, screen, member, board.streaks[0].streak_id if board.streaks else "")
    return True


async def _draw(stage: Stage, screen: Screen, member: Member, streak_id: str) -> Elements:
    """The elements of a screen; noted on the stage, whether each has ever had something to show."""
    before = len(stage.gateway.called)
    elements = await screen.draw(member, streak_id)
    expect(f"calls of {screen.title}", sorted(screen.methods), sorted(stage.gateway.called[before:]))
    for name, value in elements.items():
        key = f"{screen.title}: {name}"
        stage.drawn[key] = stage.drawn.get(key, False) or bool(value)
    return elements

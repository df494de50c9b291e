"""ID-17: where push messages go, and what a member wants to be told, when and in which language."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from unora_common.errors import InvalidArgument

_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,7}")
_LONGEST_LOCALE: Final = 35


class Platform(StrEnum):
    """Who delivers push messages to a device."""

    FCM = "fcm"
    APNS = "apns"
    WEB = "web"


class Category(StrEnum):
    """What a push message is about."""

    CONNECTIONS = "connections"
    STREAKS = "streaks"
    REVEALS = "reveals"
    DISCOVERY = "discovery"
    PAYMENTS = "payments"
    SAFETY = "safety"
    SECURITY = "security"
    """ID-12: it cannot be turned off, and quiet hours do not hold it back: it warns of a stranger in the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDevice:
    """A device that push messages go to. It belongs to the session that registered it, and so to one member."""

    id: UUID
    session_id: UUID
    platform: Platform
    locale: str
    """BCP 47; empty if the app did not say."""
    registered_at: datetime
    """By the machine's clock (UTC)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTarget:
    """A device with its token, for the notifier."""

    device: PushDevice
    token: str
    locale: str
    """BCP 47: the member's, or that of the device; empty if neither said."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begin` until before `end`, each day by local clocks; over midnight if `end` is earlier."""

    begin: time
    end: time

    def holds(self, local: time) -> bool:
        """Whether it is quiet at this time of the day."""
        if self.begin < self.end:
            return self.begin <= local < self.end
        return local >= self.begin or local < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a member wants to be told. Without changes: everything, at any time."""

    muted: frozenset[Category] = frozenset()
    quiet: QuietHours | None = None
    locale: str = ""
    """BCP 47, for all devices; empty: each has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A member who may be told something, and how."""

    user_id: UUID
    not_before: datetime | None
    """When the quiet hours end (UTC); None: at once."""
    targets: tuple[PushTarget, ...]


def read_quiet_hours(begin: str, end: str) -> QuietHours:
    """Quiet hours from two times such as "22:30". Raises InvalidArgument."""
    hours = QuietHours(_read_time("settings.quiet_hours.begin", begin), _read_time("settings.quiet_hours.end", end))
    if hours.begin == hours.end:
        raise InvalidArgument({"settings.quiet_hours.end": "is the time at which they begin"})
    return hours


def read_locale(field: str, locale: str) -> str:
    """A BCP 47 tag as it was given, or nothing. Raises InvalidArgument, which names `field`."""
    if locale and not (len(locale) <= _LONGEST_LOCALE and _LOCALE.fullmatch(locale)):
        raise InvalidArgument({field: "is not a BCP 47 tag such as pt-BR"})
    return locale


def read_token(token: str) -> str:
    """A push token as it was given. Raises InvalidArgument for what no platform gives."""
    if not (token.isascii() and token.isprintable() and token.strip()):
        raise InvalidArgument({"token": "is not a token of a push service"})
    return token


def quiet_until(quiet: QuietHours | None, time_zone: str, category: Category, now: datetime) -> datetime | None:
    """When a member may be told something that happens now: the end of the quiet hours (UTC), or None for at once.

    `time_zone` is the member's, by its IANA name; without one, clocks show UTC.
    """
    zone = ZoneInfo(time_zone or "UTC")
    local = now.astimezone(zone)
    if quiet is None or category is Category.SECURITY or not quiet.holds(local.time()):
        return None
    day = local.date() if local.time() < quiet.end else local.date() + timedelta(days=1)
    # Where clocks go back the end comes twice: it is the one that is still to come.
    ends = (datetime.combine(day, quiet.end, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return next((end for end in ends if end > now), None)


def _read_time(field: str, text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise InvalidArgument({field: "is not a time of the day such as 22:30"}) from None

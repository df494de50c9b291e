"""The numbers of identity's rules. Defaults are the product's; the configuration may replace any of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The least and the most characters of a text after trimming, both allowed."""

    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Durations are real time; ages are whole years."""

    # ID-02
    code_digits: int = 6
    code_life: timedelta = timedelta(minutes=10)
    code_tries: int = 5
    code_sending: timedelta = timedelta(seconds=10)
    codes_per_window: int = 5
    codes_window: timedelta = timedelta(hours=1)
    codes_for_known_devices: int = 15
    wrong_codes: int = 20
    wrong_codes_window: timedelta = timedelta(days=1)

    # ID-09, by the machine's clock
    erasure_overdue: timedelta = timedelta(days=1)

    # ID-11. Codes in one `codes_window` for devices that the account does not know; the last are by calling code.
    codes_per_device: int = 10
    codes_per_address: int = 30
    codes_per_country: int = 300
    codes_in_all: int = 1000
    codes_per_country_of: Mapping[int, int] = field(default_factory=dict)
    phone_prefixes_allowed: tuple[str, ...] = ()
    phone_prefixes_refused: tuple[str, ...] = ()

    # ID-03
    access_token_life: timedelta = timedelta(minutes=15)
    refresh_token_life: timedelta = timedelta(days=30)

    # ID-13. After how long an account is unused, how many wrong birth dates move its number, how long each counts, and
    # how long a check of a Gov ID does.
    unused_after: timedelta = timedelta(days=45)
    birth_date_tries: int = 3
    birth_dates_window: timedelta = timedelta(days=365)
    recovery_check_life: timedelta = timedelta(days=1)

    # ID-14
    recent_sign_in: timedelta = timedelta(minutes=15)

    # ID-10. How long an archive is kept, how long one answers further requests, and how often it is tried to make one.
    export_kept: timedelta = timedelta(days=7)
    export_again: timedelta = timedelta(days=1)
    export_tries: int = 5
    # ID-09, ID-13. How long a closed or hidden account can come back.
    account_kept: timedelta = timedelta(days=30)

    # ID-15. How many wrong second factors in one window; afterwards the right one is refused too.
    admin_session: timedelta = timedelta(hours=1)
    second_factor_tries: int = 5
    second_factor_window: timedelta = timedelta(hours=1)

    # ID-17. How many devices of a member get push messages.
    push_devices_most: int = 10

    # SA-06. How much longer than a token lives its session's revocation is published: machines' clocks differ, and a
    # token may be signed a moment after its session was revoked.
    revocation_margin: timedelta = timedelta(minutes=5)

    # ID-06. How many checks a member may begin in one window.
    gov_id_checks: int = 5
    gov_id_window: timedelta = timedelta(days=1)

    # ID-08. The upper limit only catches mistyped years.
    adult_age: int = 18
    oldest_age: int = 120

    # PR-01
    name: Bounds = Bounds(least=1, most=60)
    bio: Bounds = Bounds(least=1, most=500)
    occupation: Bounds = Bounds(least=0, most=80)

    # PR-02, ID-04
    photos_least: int = 3
    photos_most: int = 6
    photos_judged: int = 3

    # PR-04, PR-07
    link_life: timedelta = timedelta(minutes=5)
    upload_life: timedelta = timedelta(minutes=10)
    upload_kept: timedelta = timedelta(hours=1)
    uploads_most: int = 12
    upload_refusals_most: int = 2
    objects_deleted_within: timedelta = timedelta(seconds=2)

    # XX-07. How many pictures a process decodes at once, and how many of one member may be decoded or wait; how many
    # more may wait, and for how long.
    photos_at_once: int = 2
    photos_per_member: int = 2
    photo_queue: int = 8
    photo_queue_wait: timedelta = timedelta(seconds=8)

    # PR-08. Of 64: a copy of a picture differs in up to 6 bits, or 10 without a narrow border; another shot of the same
    # person in 20 or more.
    photo_repeat_bits: int = 10

    # PR-05
    hobbies_least: int = 2
    hobbies_most: int = 10
    micro_description: Bounds = Bounds(least=3, most=140)

    @property
    def revocation_published_for(self) -> timedelta:
        """SA-06: how long a revoked session stays in the list that all processes fetch."""
        return self.access_token_life + self.revocation_margin

"""What identity reads from its environment, including the numbers of its rules."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from unora_common.config import Config
from unora_sdk.environment import ConfigError

from unora_identity.domain.policy import Policy


class IdentityConfig(Config, frozen=True, kw_only=True):
    """The numbers that may differ between deployments. The rules on photos, hobbies and the age of 18 may not."""

    token_key: Path
    """PEM of the private key that signs access tokens (ID-03)."""
    token_keys_published: tuple[Path, ...] = ()
    """More private keys as PEM, whose public halves are published: the next or the previous key (access_tokens.py)."""
    phone_key: Path
    """A file of 32 random bytes, the key that hashes and seals phone numbers (ID-01). Never change or lose it."""
    sms_sandbox: str = ""
    """The file to which sign-in codes are written instead of being sent; for local runs. Exactly one of this and
    twilio_account must be set.
    """
    s3_bucket: str
    """The bucket of the photos."""
    s3_endpoint: str = ""
    """Address of the object store; empty for AWS."""
    s3_public_endpoint: str = ""
    """Address of the object store for clients, if it differs."""
    s3_region: str = "us-east-1"
    """Region of the bucket."""
    s3_access_key: str = ""
    """Empty: found as boto3 does, in AWS_ACCESS_KEY_ID or the role of the machine."""
    s3_secret_key: str = ""
    """Goes with s3_access_key."""

    twilio_account: str = ""
    """The SID of the account of Twilio that sends codes, AC… (ID-02)."""
    twilio_auth_token: str = ""
    """The account's primary token, with which Twilio signs what it tells; a secret."""
    twilio_api_key: str = ""
    """The SID of an API key, SK…, with which messages are sent; empty: the account's token."""
    twilio_api_secret: str = ""
    """Goes with twilio_api_key; a secret."""
    twilio_sender: str = ""
    """The SID of a Messaging Service, MG…, or a number or name of the account from which codes come."""
    twilio_callback: str = ""
    """The public address of the gateway's /v1/webhooks/sms, https, exactly as Twilio calls it; empty: Twilio does not
    tell whether codes arrive.
    """
    twilio_api: str = "https://api.twilio.com"
    """The address of Twilio's API; another region has another."""

    oidc_providers: str = ""
    """A JSON file that lists the OpenID providers whose accounts can be linked: name, issuer, audience and jwks, an
    address (https) or a file (ID-05). Empty: no provider.
    """
    gov_id_secret: str = ""
    """A file of at least 32 bytes, the key that signs results of the Gov ID provider (ID-06). Empty: no provider."""
    gov_id_endpoint: str = ""
    """The provider's address (https) for a new check. Empty: the sandbox, which calls no provider."""
    gov_id_api_key: str = ""
    """Goes with gov_id_endpoint."""
    gov_id_name: str = "sandbox"
    """The provider's name in signals. It must never change: its tokens are compared under this name."""
    gov_id_page: str = "https://gov-id.invalid/check"
    """The address of the sandbox's page."""

    gov_id_checks_per_day: int = 5
    """The most checks that a member may begin in a day (ID-06)."""
    code_minutes: float = 10.0
    """How long a code is valid (ID-02)."""
    code_tries: int = 5
    """The most tries of a code (ID-02)."""
    code_sending_seconds: float = 10.0
    """How long sending a code may take (ID-02)."""
    codes_per_hour: int = 5
    """The most codes that are sent to one phone in an hour, and as many more for each device that its account knows
    (ID-02).
    """
    codes_for_known_devices: int = 15
    """The most codes that are sent to one phone in an hour for all devices together that its account knows (ID-02)."""
    wrong_codes_per_day: int = 20
    """The most wrong codes for one phone in a day, and as many more from each device that its account knows (ID-02)."""
    codes_per_device: int = 10
    """The most codes in an hour for one device that the accounts do not know (ID-11)."""
    codes_per_address: int = 30
    """The most codes in an hour for such devices at one address, as the gateway tells it; IPv6: one /64 (ID-11)."""
    codes_per_country: int = 300
    """The most codes in an hour for such devices to numbers of one calling code (ID-11)."""
    codes_per_country_of: tuple[str, ...] = ()
    """Calling codes with another number, separated by commas, such as 49=2000,1=5000 (ID-11)."""
    codes_in_all: int = 1000
    """The most codes in an hour for such devices in all (ID-11)."""
    phone_prefixes_allowed: tuple[str, ...] = ()
    """Beginnings of numbers, such as +4932, separated by commas, that get codes whatever their kind (ID-11)."""
    phone_prefixes_refused: tuple[str, ...] = ()
    """Beginnings of numbers that get none, not even for an account that they have. The longest counts (ID-11)."""
    erasure_overdue_hours: float = 24.0
    """After how long a missing receipt of an erasure is an error in the log, by the machine's clock (ID-09)."""
    known_device_days: float = 400.0
    """How long an account knows a device after its last session was deleted, by the machine's clock (ID-02)."""
    export_days: float = 7.0
    """How long the archive of a member's export is kept, by the machine's clock (ID-10)."""
    account_kept_days: float = 30.0
    """How long a closed or hidden account can be reopened before it is erased (ID-09, ID-13)."""
    unused_days: float = 45.0
    """After how long without a refreshed session a code from an unknown device is not enough (ID-13)."""
    birth_date_tries: int = 3
    """How many wrong birth dates move a number to a new account (ID-13)."""
    birth_dates_days: float = 365.0
    """How long a wrong birth date counts (ID-13)."""
    access_token_minutes: float = 15.0
    """How long an access token is valid (ID-03)."""
    refresh_token_days: float = 30.0
    """How long a refresh token is valid (ID-03)."""
    link_minutes: float = 5.0
    """How long a link to a photo is valid (PR-04)."""
    upload_minutes: float = 10.0
    """How long the form of an upload is valid (PR-07)."""
    photo_megabytes: int = 10
    """The largest file that is accepted (PR-07)."""
    challenge_hours: float = 24.0
    """How long a challenge is stored, by the machine's clock. More than an hour, or codes could not be counted."""
    session_days: float = 7.0
    """How long a session is stored after its last refresh token expired, by the machine's clock (ID-03)."""
    upload_hours: float = 1.0
    """How long an offer to upload is stored after its form expired, by the machine's clock. Then its objects that did
    not become a photo are deleted.
    """
    uploads_most: int = 12
    """The most stored offers to upload of a member that did not become a photo (PR-07)."""
    photos_at_once: int = 2
    """The most pictures that a process has in work at once (XX-07): each takes memory for its file and its pixels. With
    2 or more, one member never has them all.
    """
    photos_per_member: int = 2
    """The most pictures of one member that are in work or wait (XX-07). A further one is refused at once."""
    photo_queue: int = 8
    """How many pictures may wait when photos_at_once are in work (XX-07). A further one is refused at once."""
    photo_queue_seconds: float = 8.0
    """How long a picture may wait before it is refused (XX-07)."""
    photo_megabytes_at_once: int = 416
    """How much memory the pictures in work may take together, in MiB; each says what it needs before it is decoded, and
    has no more (XX-07). With less, the largest pictures are refused.
    """

    @property
    def policy(self) -> Policy:
        """The numbers for the domain."""
        return Policy(
            code_life=timedelta(minutes=self.code_minutes),
            code_tries=self.code_tries,
            code_sending=timedelta(seconds=self.code_sending_seconds),
            codes_per_window=self.codes_per_hour,
            codes_for_known_devices=self.codes_for_known_devices,
            wrong_codes=self.wrong_codes_per_day,
            codes_per_device=self.codes_per_device,
            codes_per_address=self.codes_per_address,
            codes_per_country=self.codes_per_country,
            codes_in_all=self.codes_in_all,
            codes_per_country_of=_by_calling_code(self.codes_per_country_of),
            phone_prefixes_allowed=_prefixes("ALLOWED", self.phone_prefixes_allowed),
            phone_prefixes_refused=_prefixes("REFUSED", self.phone_prefixes_refused),
            export_kept=timedelta(days=self.export_days),
            account_kept=timedelta(days=self.account_kept_days),
            unused_after=timedelta(days=self.unused_days),
            birth_date_tries=self.birth_date_tries,
            birth_dates_window=timedelta(days=self.birth_dates_days),
            access_token_life=timedelta(minutes=self.access_token_minutes),
            refresh_token_life=timedelta(days=self.refresh_token_days),
            link_life=timedelta(minutes=self.link_minutes),
            erasure_overdue=timedelta(hours=self.erasure_overdue_hours),
            gov_id_checks=self.gov_id_checks_per_day,
            upload_life=timedelta(minutes=self.upload_minutes),
            upload_kept=timedelta(hours=self.upload_hours),
            uploads_most=self.uploads_most,
            photos_at_once=self.photos_at_once,
            photos_per_member=self.photos_per_member,
            photo_queue=self.photo_queue,
            photo_queue_wait=timedelta(seconds=self.photo_queue_seconds),
        )


def _by_calling_code(pairs: tuple[str, ...]) -> dict[int, int]:
    try:
        return {int(code): int(most) for code, _, most in (pair.partition("=") for pair in pairs)}
    except ValueError:
        raise ConfigError("UNORA_CODES_PER_COUNTRY_OF cannot be read: it is such as 49=2000,1=5000") from None


def _prefixes(which: str, prefixes: tuple[str, ...]) -> tuple[str, ...]:
    if not all(re.fullmatch(r"\+[1-9][0-9]{0,14}", prefix) for prefix in prefixes):
        raise ConfigError(f"UNORA_PHONE_PREFIXES_{which} cannot be read: each begins with + and the calling code")
    return prefixes

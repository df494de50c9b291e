"""What identity reads from its environment, the numbers of its rules among it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from unora_common.config import Config

from unora_identity.domain.policy import Policy


class IdentityConfig(Config, frozen=True, kw_only=True):
    """Numbers that the seed leaves open can be set here. Photos, the face, hobbies and the age of 18 cannot."""

    token_key: Path
    """PEM of the private key that signs access tokens (ID-03)."""
    token_keys_published: tuple[Path, ...] = ()
    """Further private keys, as PEM, whose public halves are published: the next one, or the last one (tokens.py)."""
    phone_key: Path
    """32 random bytes: numbers are hashed with it, and sealed under it (ID-01). It is never changed and never lost."""
    sms_sandbox: Path
    """The file to which codes are written. No carrier is there yet, so nothing but a local run can do without."""
    s3_bucket: str
    """The bucket of the photos."""
    s3_endpoint: str = ""
    """Address of the object store; empty for AWS."""
    s3_public_endpoint: str = ""
    """Address of the object store as clients see it, if it is another."""
    s3_region: str = "us-east-1"
    """Region of the bucket."""
    s3_access_key: str = ""
    """Empty: found as boto3 does, in AWS_ACCESS_KEY_ID or the machine's own role."""
    s3_secret_key: str = ""
    """Goes with s3_access_key."""

    oidc_providers: str = ""
    """A JSON file that lists the OpenID providers of which accounts can be linked: name, issuer, audience, and jwks, an
    address (https) or a file (ID-05). Empty: none.
    """
    gov_id_secret: str = ""
    """The file of at least 32 bytes with which the provider of Gov ID checks signs its results (ID-06). Empty: there is
    no provider.
    """
    gov_id_endpoint: str = ""
    """Where a check is asked for, by https. Empty: the sandbox, which asks nobody."""
    gov_id_api_key: str = ""
    """Goes with gov_id_endpoint."""
    gov_id_name: str = "sandbox"
    """What the provider is called in signals; it is never changed, or its tokens would be another's."""
    gov_id_page: str = "https://gov-id.invalid/check"
    """The sandbox's page."""

    gov_id_checks_per_day: int = 5
    """How many checks a member may begin in a day (ID-06)."""
    code_minutes: float = 10.0
    """How long a code lives (ID-02)."""
    code_tries: int = 5
    """How often a code may be tried (ID-02)."""
    code_sending_seconds: float = 10.0
    """How long sending a code may take (ID-02)."""
    codes_per_hour: int = 5
    """How many codes one phone is sent in an hour (ID-02)."""
    access_token_minutes: float = 15.0
    """How long an access token lives (ID-03)."""
    refresh_token_days: float = 30.0
    """How long a refresh token lives (ID-03)."""
    link_minutes: float = 5.0
    """How long a link to a photo lives (PR-04)."""
    upload_minutes: float = 10.0
    """How long the form of an upload lives (PR-07)."""
    photo_megabytes: int = 10
    """The largest file that is taken (PR-07)."""
    challenge_hours: float = 24.0
    """How long a challenge is kept, by the machine's clock; more than an hour, or codes could not be counted."""
    session_days: float = 7.0
    """How long a session is kept after the last of its refresh tokens has died, by the machine's clock (ID-03)."""
    upload_hours: float = 1.0
    """How long an offer to upload is kept after its form is over, by the machine's clock; then orphans are removed."""
    uploads_most: int = 12
    """How many offers to upload a member may have that are kept and did not become a photo (PR-07)."""
    photos_at_once: int = 4
    """How many uploads a process reads and looks at at the same time: each takes memory for its file and its pixels.
    Further calls wait for their turn, as long as their deadline lets them.
    """

    @property
    def policy(self) -> Policy:
        """The numbers as the domain takes them."""
        return Policy(
            code_life=timedelta(minutes=self.code_minutes),
            code_tries=self.code_tries,
            code_sending=timedelta(seconds=self.code_sending_seconds),
            codes_per_window=self.codes_per_hour,
            access_token_life=timedelta(minutes=self.access_token_minutes),
            refresh_token_life=timedelta(days=self.refresh_token_days),
            link_life=timedelta(minutes=self.link_minutes),
            gov_id_checks=self.gov_id_checks_per_day,
            upload_life=timedelta(minutes=self.upload_minutes),
            upload_kept=timedelta(hours=self.upload_hours),
            uploads_most=self.uploads_most,
            photos_at_once=self.photos_at_once,
        )

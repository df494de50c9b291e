"""What the servicers, consumers and jobs of identity share: its keys, and the outside world."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from unora_common.config import ConfigError

from unora_identity.config import IdentityConfig
from unora_identity.domain.policy import Policy
from unora_identity.providers.access_tokens import AccessTokens, machine_now
from unora_identity.providers.gov_id import GovIdProvider, HttpGovId, NoGovId, SandboxGovId
from unora_identity.providers.keyed_hasher import KeyedHasher
from unora_identity.providers.master_key import MasterKey
from unora_identity.providers.oidc import OidcProvider, OidcProviders, read_settings
from unora_identity.providers.photos import PhotoStore, S3Settings
from unora_identity.providers.sms import SandboxSms, SmsSender
from unora_identity.providers.vision import Vision, VisionPolicy
from unora_identity.use_cases.background import Finishing


@dataclass(frozen=True, kw_only=True)
class Resources:
    """One of each per process."""

    policy: Policy
    tokens: AccessTokens
    hasher: KeyedHasher
    master_key: MasterKey
    sms: SmsSender
    photos: PhotoStore
    vision: Vision
    gov_id: GovIdProvider
    oidc: OidcProviders
    most_bytes: int
    looking: asyncio.Semaphore
    """Whoever reads an upload and looks at it holds one: so many files and pictures fit in memory."""
    finishing: Finishing
    machine_now: Callable[[], datetime]
    """For tokens, signed addresses and clean-up; the rules go by the rule clock."""

    def close(self) -> None:
        """Lets go of threads and connections."""
        self.vision.close()
        self.photos.close()


def make_resources(config: IdentityConfig) -> Resources:
    """Reads the keys; opens nothing that needs the network."""
    policy = config.policy
    key = config.phone_key.read_bytes()
    if len(key) != 32:
        raise ConfigError(f"UNORA_PHONE_KEY must name a file of 32 bytes, and {config.phone_key} has {len(key)}")
    hasher = KeyedHasher(key)
    most_bytes = config.photo_megabytes * 2**20
    return Resources(
        policy=policy,
        tokens=_tokens(config, policy),
        hasher=hasher,
        master_key=MasterKey(hasher.derive("master key")),
        sms=SandboxSms(config.sms_sandbox),
        photos=PhotoStore(
            S3Settings(
                bucket=config.s3_bucket,
                endpoint=config.s3_endpoint or None,
                public_endpoint=config.s3_public_endpoint or None,
                region=config.s3_region,
                access_key=config.s3_access_key or None,
                secret_key=config.s3_secret_key or None,
            )
        ),
        vision=Vision(VisionPolicy(most_bytes=most_bytes)),
        gov_id=_gov_id(config),
        oidc=_oidc(config),
        most_bytes=most_bytes,
        looking=asyncio.Semaphore(policy.photos_at_once),
        finishing=Finishing(),
        machine_now=machine_now,
    )


def _tokens(config: IdentityConfig, policy: Policy) -> AccessTokens:
    keys = [path.read_text() for path in (config.token_key, *config.token_keys_published)]
    try:
        return AccessTokens(keys, policy.access_token_life)
    except ValueError as error:
        raise ConfigError(f"UNORA_TOKEN_KEY, UNORA_TOKEN_KEYS_PUBLISHED: {error}") from None


def _gov_id(config: IdentityConfig) -> GovIdProvider:
    if not config.gov_id_secret:
        return NoGovId()
    try:
        secret = Path(config.gov_id_secret).read_bytes()
        if not config.gov_id_endpoint:
            return SandboxGovId(secret, config.gov_id_page, config.gov_id_name)
        return HttpGovId(
            secret, endpoint=config.gov_id_endpoint, api_key=config.gov_id_api_key, name=config.gov_id_name
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"UNORA_GOV_ID_SECRET, UNORA_GOV_ID_ENDPOINT: {error}") from None


def _oidc(config: IdentityConfig) -> OidcProviders:
    try:
        settings = read_settings(Path(config.oidc_providers)) if config.oidc_providers else []
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise ConfigError(f"UNORA_OIDC_PROVIDERS: {error}") from None
    return OidcProviders([OidcProvider(each) for each in settings])

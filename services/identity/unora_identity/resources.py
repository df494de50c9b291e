"""What the servicers, consumers and jobs of identity share: its keys, its providers, and the numbers of its rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
from unora_common.metrics import Metrics
from unora_common.provider_calls import ProviderCalls
from unora_sdk.environment import ConfigError

from unora_identity.config import IdentityConfig
from unora_identity.domain.policy import Policy
from unora_identity.providers.access_tokens import AccessTokens
from unora_identity.providers.gov_id import GovIdProvider, HttpGovId, NoGovId, SandboxGovId
from unora_identity.providers.keyed_hasher import KeyedHasher
from unora_identity.providers.machine_clock import machine_now
from unora_identity.providers.master_key import MasterKey
from unora_identity.providers.oidc import OidcProvider, OidcProviders, fetch_keys, read_settings
from unora_identity.providers.own_packages import require_own_packages
from unora_identity.providers.phone_key import PhoneKey
from unora_identity.providers.photo_store import PhotoStore, S3Settings
from unora_identity.providers.photo_work import PhotoWork
from unora_identity.providers.pictures import VisionPolicy
from unora_identity.providers.places import Places
from unora_identity.providers.sms import SandboxSms, SmsSender
from unora_identity.providers.vision import Vision


@dataclass(frozen=True, kw_only=True)
class Resources:
    """One of each per process."""

    policy: Policy
    access_tokens: AccessTokens
    hasher: KeyedHasher
    master_key: MasterKey
    phone_key: PhoneKey
    """Whether the key of the two above is that of the database."""
    sms: SmsSender
    photo_store: PhotoStore
    vision: Vision
    gov_id: GovIdProvider
    oidc: OidcProviders
    most_bytes: int
    """The most bytes of an uploaded file (PR-07)."""
    photo_work: PhotoWork
    """A turn is held while an upload is read and inspected (XX-07)."""
    places: Places
    """The list of places (PR-11)."""
    machine_now: Callable[[], datetime]
    """For tokens, signed addresses and clean-up; the rules use the rule clock."""

    async def close(self) -> None:
        """Ends the child processes and closes the connections."""
        await self.sms.close()
        self.vision.close()
        self.photo_store.close()


def make_resources(config: IdentityConfig, metrics: Metrics) -> Resources:
    """Reads the keys and makes the providers; makes no call over the network. Raises ConfigError."""
    require_own_packages()
    policy = config.policy
    key = config.phone_key.read_bytes()
    if len(key) != 32:
        raise ConfigError(f"UNORA_PHONE_KEY must name a file of 32 bytes, and {config.phone_key} has {len(key)}")
    hasher = KeyedHasher(key)
    most_bytes = config.photo_megabytes * 2**20
    return Resources(
        policy=policy,
        access_tokens=_access_tokens(config, policy),
        hasher=hasher,
        master_key=MasterKey(hasher.derive("master key")),
        phone_key=PhoneKey(hasher.derive("fingerprint")),
        sms=_sms(config, policy, metrics),
        photo_store=_photo_store(config, metrics),
        vision=Vision(VisionPolicy(most_bytes=most_bytes, memory_at_once=config.photo_megabytes_at_once * 2**20)),
        gov_id=_gov_id(config, metrics),
        oidc=_oidc(config, metrics),
        most_bytes=most_bytes,
        photo_work=PhotoWork(
            at_once=policy.photos_at_once,
            per_member=policy.photos_per_member,
            queue=policy.photo_queue,
            wait=policy.photo_queue_wait,
        ),
        places=Places(),
        machine_now=machine_now,
    )


def _access_tokens(config: IdentityConfig, policy: Policy) -> AccessTokens:
    keys = [path.read_text() for path in (config.token_key, *config.token_keys_published)]
    try:
        return AccessTokens(keys, policy.access_token_life)
    except ValueError as error:
        raise ConfigError(f"UNORA_TOKEN_KEY, UNORA_TOKEN_KEYS_PUBLISHED: {error}") from None


def _sms(config: IdentityConfig, policy: Policy, metrics: Metrics) -> SmsSender:
    if bool(config.sms_sandbox) == bool(config.twilio_account):
        raise ConfigError("UNORA_SMS_SANDBOX, UNORA_TWILIO_ACCOUNT: set exactly one")
    if config.sms_sandbox:
        return SandboxSms(Path(config.sms_sandbox))
    from unora_identity.providers.twilio import TwilioSettings, TwilioSms  # not above: it loads httpx

    try:
        return TwilioSms(
            TwilioSettings(
                account=config.twilio_account,
                auth_token=config.twilio_auth_token,
                api_key=config.twilio_api_key,
                api_secret=config.twilio_api_secret,
                sender=config.twilio_sender,
                callback=config.twilio_callback,
                api=config.twilio_api,
                timeout=policy.code_sending.total_seconds(),
                valid_for=int(policy.code_life.total_seconds()),
            ),
            ProviderCalls("twilio", metrics),
        )
    except ValueError as error:
        raise ConfigError(f"UNORA_TWILIO_…: {error}") from None


def _photo_store(config: IdentityConfig, metrics: Metrics) -> PhotoStore:
    settings = S3Settings(
        bucket=config.s3_bucket,
        endpoint=config.s3_endpoint or None,
        public_endpoint=config.s3_public_endpoint or None,
        region=config.s3_region,
        access_key=config.s3_access_key or None,
        secret_key=config.s3_secret_key or None,
    )
    try:
        return PhotoStore(settings, ProviderCalls("s3", metrics))
    except ValueError as error:
        raise ConfigError(f"UNORA_S3_ENDPOINT, UNORA_S3_PUBLIC_ENDPOINT: {error}") from None


def _gov_id(config: IdentityConfig, metrics: Metrics) -> GovIdProvider:
    if not config.gov_id_secret:
        return NoGovId()
    try:
        secret = Path(config.gov_id_secret).read_bytes()
        if not config.gov_id_endpoint:
            return SandboxGovId(secret, config.gov_id_page, config.gov_id_name)
        return HttpGovId(
            secret,
            endpoint=config.gov_id_endpoint,
            api_key=config.gov_id_api_key,
            name=config.gov_id_name,
            calls=ProviderCalls("gov_id", metrics),
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"UNORA_GOV_ID_SECRET, UNORA_GOV_ID_ENDPOINT: {error}") from None


def _oidc(config: IdentityConfig, metrics: Metrics) -> OidcProviders:
    try:
        settings = read_settings(Path(config.oidc_providers)) if config.oidc_providers else []
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise ConfigError(f"UNORA_OIDC_PROVIDERS: {error}") from None
    fetch = partial(fetch_keys, ProviderCalls("openid", metrics))
    return OidcProviders([OidcProvider(each, fetch=fetch) for each in settings])

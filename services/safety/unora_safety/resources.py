"""What the parts of the service share."""

from __future__ import annotations

from dataclasses import dataclass

from unora_common.metrics import Metrics
from unora_sdk.environment import ConfigError

from unora_safety.config import SafetyConfig
from unora_safety.providers.detector import Detector, RuleDetector
from unora_safety.providers.head_signer import HeadSigner


@dataclass(frozen=True)
class Resources:
    """One set per process."""

    detector: Detector
    head_signer: HeadSigner
    """SA-11: signs and verifies exports of audit heads."""


def make_resources(config: SafetyConfig, _: Metrics) -> Resources:
    """The providers for this configuration. Raises ConfigError."""
    keys = [path.read_text() for path in (config.audit_key, *config.audit_keys_known)]
    try:
        signer = HeadSigner(keys)
    except ValueError as error:
        raise ConfigError(f"UNORA_AUDIT_KEY, UNORA_AUDIT_KEYS_KNOWN: {error}") from None
    return Resources(detector=RuleDetector(config.outliers), head_signer=signer)

"""What the parts of the service share."""

from __future__ import annotations

from dataclasses import dataclass

from unora_safety.config import SafetyConfig
from unora_safety.providers.detector import Detector, RuleDetector


@dataclass(frozen=True)
class Resources:
    """One set per process."""

    detector: Detector


def make_resources(config: SafetyConfig) -> Resources:
    """The providers for this configuration."""
    return Resources(detector=RuleDetector(config.outliers))

"""What the parts of the service share."""

from __future__ import annotations

from dataclasses import dataclass

from unora_safety.config import SafetyConfig
from unora_safety.providers import Detector, Rules


@dataclass
class Resources:
    """Providers."""

    detector: Detector


def make_resources(config: SafetyConfig) -> Resources:
    """The providers that the configuration asks for."""
    return Resources(detector=Rules(config.outliers))

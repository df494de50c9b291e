"""What the parts of reveal share: the framer of revealed texts."""

from __future__ import annotations

from dataclasses import dataclass, field

from unora_reveal.config import RevealConfig
from unora_reveal.providers.framer import Framer, TemplateFramer


@dataclass(frozen=True)
class Resources:
    """Made once in each process."""

    framer: Framer = field(default_factory=TemplateFramer)


def make_resources(config: RevealConfig) -> Resources:
    """The template framer needs no configuration."""
    return Resources()

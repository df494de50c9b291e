"""The settings of a stack's sandbox, and the variables that billing and others need."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from unora_local.process import Process, inherited_environment
from unora_local.supervisor import ProcessPart
from unora_local.tls import Certificate


@dataclass(frozen=True)
class SandboxLayout:
    """A sandbox that is not started."""

    port: int
    state: Path
    key: str
    """The provider's secret key, which billing calls it with."""
    webhook_secret: str
    host: str = "127.0.0.1"
    """Where it listens: loopback, or the address of this machine that containers reach."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.host}:{self.port}"

    def for_billing(self) -> dict[str, str]:
        """The variables that make billing use it."""
        return {
            "UNORA_STRIPE_API_BASE": self.url,
            "UNORA_STRIPE_SECRET_KEY": self.key,
            "UNORA_STRIPE_WEBHOOK_SECRET": self.webhook_secret,
        }

    def published(self) -> dict[str, str]:
        """The variables for a client that acts as a member's app or as the provider."""
        return {
            "UNORA_PAYMENT_SANDBOX_URL": self.url,
            "UNORA_PAYMENT_SANDBOX_KEY": self.key,
            "UNORA_PAYMENT_SANDBOX_WEBHOOK_SECRET": self.webhook_secret,
        }

    def part(self, billing: str, certificate: Certificate, log: Path) -> ProcessPart:
        """The process, for the supervisor. `certificate` has the gateway's rights: webhooks come that way."""
        own = {
            "UNORA_SANDBOX_HOST": self.host,
            "UNORA_SANDBOX_PORT": str(self.port),
            "UNORA_SANDBOX_STATE": str(self.state),
            "UNORA_BILLING_ADDRESS": billing,
            "UNORA_TLS_CA": str(certificate.ca),
            "UNORA_TLS_CERT": str(certificate.cert),
            "UNORA_TLS_KEY": str(certificate.key),
        }
        command = [sys.executable, "-m", "unora_local.sandbox"]
        environment = inherited_environment() | own | self.for_billing()
        return ProcessPart(Process("payments", command, log=log, env=environment))

"""Signals of trust."""

from __future__ import annotations

from typing import Final

from unora.identity.v1 import (
    verification_service_pb2,
)
from unora_common.messages import by_name, to_timestamp

from unora_identity.domain.signals import Signal

SIGNAL_TYPES: Final = by_name(verification_service_pb2.SignalType)
OUTCOMES: Final = by_name(verification_service_pb2.SignalOutcome)


def to_signal(signal: Signal) -> verification_service_pb2.Signal:
    """A signal as its member sees it, without the provider's token."""
    return verification_service_pb2.Signal(
        signal_id=str(signal.id),
        type=SIGNAL_TYPES[signal.signal_type],
        provider=signal.provider,
        outcome=OUTCOMES[signal.outcome],
        created_at=to_timestamp(signal.created_at),
        decided_at=to_timestamp(signal.decided_at),
    )

"""The declarations of the services, and the subjects that their consumers read: NATS permits only these."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from unora_common.service import Service


def consumed_subjects(contexts: Iterable[str]) -> dict[str, list[str]]:
    """The filter subjects of each context's consumers."""
    return {context: _subjects(context) for context in contexts}


def load_service(context: str) -> Service[Any, Any]:
    """The declaration of a service, from its package."""
    service: Service[Any, Any] = import_module(f"unora_{context}.service").service
    return service


def _subjects(context: str) -> list[str]:
    return sorted({consumed.subject for consumed in load_service(context).consumed()})

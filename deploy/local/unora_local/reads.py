"""Which events each service reads, as its declaration says; NATS lets it read nothing else."""

from collections.abc import Iterable
from importlib import import_module


def declared(contexts: Iterable[str]) -> dict[str, list[str]]:
    """The filter subjects of each context's consumers."""
    return {context: _subjects(context) for context in contexts}


def _subjects(context: str) -> list[str]:
    service = import_module(f"unora_{context}.service").service
    return sorted({consumed.subject for consumed in service.consumed()})

"""The tables of the discovery schema. Migrations make them; a test holds both equal; services use SQL."""

from unora_discovery.tables import batches, candidates, pairs, servers, shown
from unora_discovery.tables.schema import metadata

__all__ = ["batches", "candidates", "metadata", "pairs", "servers", "shown"]

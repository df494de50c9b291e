"""Shared by tests and the demo: a world of all services in one process, hostile pictures, invariants."""

import unora_local  # noqa: F401 - first: it sets what gRPC reads when it is first imported

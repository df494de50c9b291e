"""What tests and the demo stand on: a world of all services in one process, the rule clock, test data, invariants."""

import unora_local  # noqa: F401 - first: it sets what gRPC reads when it is first imported

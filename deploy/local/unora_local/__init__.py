"""Everything that Unora needs, started on one machine."""

import os

# Processes are started from one that has spoken gRPC. Each is a program of its own at once, so the handlers for a child
# that goes on with the channels are not wanted: now and then they abort it. Read when gRPC is first imported.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

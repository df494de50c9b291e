"""Everything that Unora needs, started on one machine."""

import os

# Child processes are started from a process that uses gRPC. gRPC's fork handlers are for a child that goes on using its
# parent's channels; ours run another program at once, and the handlers sometimes abort them. gRPC reads this variable
# when it is first imported.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

"""What every Unora service needs, and nothing that only one needs."""

import os

# gRPC's core would print plain text between the JSON lines of the log, such as a line for each stranger whose handshake
# fails. It reads the variable when it is imported, which this package is before it. GRPC_VERBOSITY=ERROR shows more.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

"""Measures the full stack beside its limits in the same run: a bare grpc.aio echo, and pgbench on the statements."""

import unora_local  # noqa: F401 - first: it sets what gRPC reads when it is first imported

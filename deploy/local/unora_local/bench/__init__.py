"""Measures the full stack beside its limits in the same run: a bare grpc.aio echo, and pgbench on the statements."""

"""The gRPC services of streak: for members, and for billing."""

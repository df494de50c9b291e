"""The gRPC services of billing: request in, use case, response out."""

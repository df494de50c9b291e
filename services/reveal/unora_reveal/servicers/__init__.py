"""The gRPC services of reveal, one file each."""

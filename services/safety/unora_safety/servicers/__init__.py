"""The gRPC services of safety, for members, moderators and other contexts."""

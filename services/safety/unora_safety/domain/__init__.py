"""The rules of safety, pure: no I/O, no clock, no protobuf."""

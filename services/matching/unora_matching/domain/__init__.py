"""The rules of matching, pure: no I/O, no clock, no protobuf."""

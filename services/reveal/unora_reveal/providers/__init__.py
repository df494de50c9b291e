"""What reveal uses from outside Unora."""

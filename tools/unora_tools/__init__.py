"""Generators and checks for developers of Unora."""

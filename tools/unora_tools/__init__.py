"""Generators and checks for those who work on Unora."""

"""Photographs for the demo and the tests."""

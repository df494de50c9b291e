"""Photographs of invented people."""

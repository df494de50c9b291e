"""The events that discovery applies."""

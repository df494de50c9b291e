"""Billing's services: proto to use cases and back."""

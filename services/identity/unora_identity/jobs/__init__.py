"""Scheduled jobs of identity."""

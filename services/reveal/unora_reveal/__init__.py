"""Reveals: what a member learns of the other on the way to Day 15."""

"""Reveals: what a member learns of their partner on the way to Day 15."""

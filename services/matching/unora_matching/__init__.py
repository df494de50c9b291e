"""Matching: interests, connections and slots."""

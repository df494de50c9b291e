"""The consumers of reveal, one file for the events of each context."""

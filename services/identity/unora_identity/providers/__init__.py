"""Adapters for text messages, the object store, OpenCV and other providers, and cryptography."""

"""The outside world of identity: text messages, the object store, OpenCV, other providers; and cryptography."""

"""The outside world of identity: text messages, the object store, and what can be seen in a picture."""

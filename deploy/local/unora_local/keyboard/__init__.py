"""Tools for a person at the keyboard, on a stack that runs on this machine; no deployed service has them."""

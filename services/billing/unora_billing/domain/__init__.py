"""The rules of money, pure: no I/O, no clock; `now` is always passed in."""

"""The rules of money, pure: no I/O and no clock; `now` is always passed in."""

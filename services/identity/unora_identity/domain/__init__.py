"""The rules of identity: pure functions over frozen values. No I/O and no clock: `now` is always given."""

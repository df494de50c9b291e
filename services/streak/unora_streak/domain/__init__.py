"""The streak's rules, pure: `(state, input, now) -> (state, events)`. No I/O, no clock: `now` is always passed in."""

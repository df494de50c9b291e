"""`make drill`: disasters on a stack of its own, what brings it back, what was lost, and how long it took."""

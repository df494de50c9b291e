"""SQL of the identity schema: functions on an open transaction or session, in and out in domain types.

The lock of a member's row in `users` (members.py) guards everything that identity stores of the member. Only the
clean-up jobs, `photos.note_object`, and what takes a push token away (push_devices.py) write without it. Lock order: a
phone challenge or a disclosure, then the tries for the challenge's number, then members by ascending id, then a
member's other rows.
"""

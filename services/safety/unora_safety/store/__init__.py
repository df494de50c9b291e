"""Safety in Postgres: functions on an open transaction or session, in and out in domain types.

Locks are taken in this order: the advisory lock of a reporter, a device or a member's traces, then the row of the
member in `safety.restrictions`, which is the lock of all that concerns this member, then the hashes of traces, in their
order. The detector's queue comes last, once in a transaction.
"""

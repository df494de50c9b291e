"""Safety in Postgres: functions on an open transaction or session, in and out in domain types.

Locks are taken in this order: the advisory lock of a reporter, a device or a member's traces, then the member's row in
`safety.restrictions`, which locks everything about this member, then the hashes of traces, in ascending order. The
detector's queue comes last, once in a transaction.
"""

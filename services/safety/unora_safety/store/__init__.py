"""Safety in Postgres: functions on an open transaction or session, in and out in domain types.

Locks are taken in this order: the advisory lock of a reporter, then the row of the reported member in
`safety.restrictions`, which is the lock of all that concerns this member.
"""

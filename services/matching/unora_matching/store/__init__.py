"""Matching in Postgres: functions on an open transaction or session, in and out in domain types.

Locks are taken in one order everywhere: first inventories, by the ids of their members; then connections, by id; then
whatever hangs on these. So whoever wants a connection reads whose it is, which never changes, locks its two, and then
the connection.

The inventory of a member is the lock under which anything of theirs changes:
- their interests: only under the sender's (a match needs both senders', and has them)
- a connection's beginning and end: only under both
- who of a pair blocks whom: only under both, so that a match and a block of the same pair have an order (MA-12)
- tier and standing: under the member's own

Two lock less, and wait for nothing that somebody else might hold: a completed streak locks its connection alone, and
the expiry takes only inventories that are free at the moment.
"""

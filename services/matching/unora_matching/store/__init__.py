"""Matching in Postgres: functions on an open transaction or session, in and out in domain types.

Locks are taken in one order everywhere: first inventories, ordered by the ids of their members; then connections,
ordered by id; then rows that belong to these. So a use case that needs a connection first reads its two members, who
never change, locks their inventories, and then locks the connection.

A member's inventory is the lock for all that changes of that member:
- interests: only under the sender's lock (a match needs those of both senders, and has them)
- the beginning and the end of a connection: only under the locks of both
- blocks within a pair: only under the locks of both, so that a match and a block of the same pair have an order (MA-12)
- tier, restriction and absence: under the member's own lock

Two use cases lock less, and neither waits for a lock while it holds another: a completed streak locks only its
connection, and the expiry takes only inventories that are free at that moment.
"""

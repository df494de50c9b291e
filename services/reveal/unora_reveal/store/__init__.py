"""Reveal in Postgres: functions on an open transaction or session, in and out in domain types.

Locks are taken in this order: tiers by user id, then pairs by connection id. The lock of a pair guards all reveals of
its two members. Rows that it guards are read by the next statement: a statement that waits for a lock still sees other
rows as they were when it began.
"""

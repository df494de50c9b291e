"""Reveal in Postgres: functions on an open transaction or session, in and out in domain types.

Locks are taken in this order: members' tiers by user id, pairs by connection id, then what hangs on them.
"""

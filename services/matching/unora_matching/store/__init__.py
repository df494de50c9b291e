"""Matching in Postgres: functions on an open transaction or session, in and out in domain types.

Locks are taken in one order everywhere: a connection first, then inventories by id. A member's interests are written
only under the lock of the member's inventory.
"""

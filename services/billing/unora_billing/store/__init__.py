"""Billing's rows in Postgres: functions on an open transaction or session, in and out in domain types.

Locks are taken in one order: connection, account, subscription, payment, protection.
"""

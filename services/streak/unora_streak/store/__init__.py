"""The tables of streak: functions on an open transaction or session, in and out in domain types.

The row of the streak is locked first; the rows that belong to it are read and written under that lock.
"""

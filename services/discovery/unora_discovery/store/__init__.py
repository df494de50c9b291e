"""Discovery in Postgres: functions on an open transaction or session, with domain types as arguments and results.

A change of a member's servers, timer or batches first locks the member's row in refresh_timers (`members.lock` or
`members.lock_or_create`). Rows that depend on the member are read by a later statement than the one that takes the
lock: a statement that waits for a lock still sees other rows as they were when it began. Projections of other contexts'
events (`pool`, `pairs`, `partners`, `listed_cards`) take no such lock; of each row the newest version counts. Filters
have a row lock of their own.
"""

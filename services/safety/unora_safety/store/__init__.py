"""Safety in Postgres: functions on an open transaction or session, in and out in domain types."""

"""`make upgrade`: an earlier release and today's, side by side on one Postgres and one NATS, while members call."""

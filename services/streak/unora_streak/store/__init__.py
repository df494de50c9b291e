"""Streaks in Postgres, and what belongs to them: functions on an open transaction or session."""

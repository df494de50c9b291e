"""Everything that Unora needs, started on one machine."""

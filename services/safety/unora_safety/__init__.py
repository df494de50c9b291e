"""Safety: the audit log, and the protection of members."""

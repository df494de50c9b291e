"""Safety: the audit log, and what protects members."""

"""Identity: who a member is, and how that is known."""

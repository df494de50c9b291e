"""Identity: accounts of members, and how their identity is known."""

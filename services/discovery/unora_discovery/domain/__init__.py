"""The rules of discovery, pure: cards, filters, the pool, the refresh timer. Import from the modules."""

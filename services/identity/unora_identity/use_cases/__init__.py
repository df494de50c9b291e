"""What identity does: one transaction, or a few, for each use case."""

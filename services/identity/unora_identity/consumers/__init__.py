"""What identity does on the events of other contexts."""

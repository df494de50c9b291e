"""What matching does on events of other contexts."""

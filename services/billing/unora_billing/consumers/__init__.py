"""What billing does when another context emits an event."""

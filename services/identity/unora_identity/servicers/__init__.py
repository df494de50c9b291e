"""What identity serves: proto to use case and back."""

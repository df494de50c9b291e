"""The RPC services and commands of identity: message to use case, and back."""

"""The discovery context: servers, the pool of candidates, and batches of five cards."""

"""Discovery: servers, batches and cards."""

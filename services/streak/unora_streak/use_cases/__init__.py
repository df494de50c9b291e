"""What servicers, consumers and the sweep share."""

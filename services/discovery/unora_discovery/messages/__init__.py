"""Between the domain of discovery and the contract."""

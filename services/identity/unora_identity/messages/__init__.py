"""Between the domain of identity and the contract."""

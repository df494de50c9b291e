"""Between the domain of safety and the contract."""

"""Pictures for the tests: grids as phones make them, hostile ones."""

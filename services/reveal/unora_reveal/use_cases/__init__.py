"""What servicers and consumers of reveal do, one file for each concern."""

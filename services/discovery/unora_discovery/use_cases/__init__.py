"""What servicers and consumers do, each in one transaction that they open."""

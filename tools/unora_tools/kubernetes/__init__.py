"""What is done with deploy/k8s without a cluster: rendering, validation, budgets, generated files, digests."""

"""The gateway: REST, gRPC-Web and gRPC for apps, generated from the contract."""

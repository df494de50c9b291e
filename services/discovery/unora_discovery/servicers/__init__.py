"""The RPC methods of discovery, one module per service of the contract."""

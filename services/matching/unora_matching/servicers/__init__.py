"""The RPC methods of matching: proto in, use case, proto out."""

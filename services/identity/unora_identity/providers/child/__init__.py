"""XX-07: the processes that decode pictures. Nothing here, and nothing that it imports, knows gRPC or Postgres."""

"""The REST side of the contract as OpenAPI 3.1, written from the descriptors: no path and no schema by hand."""

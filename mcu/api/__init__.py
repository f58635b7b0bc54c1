"""The HTTP API, one file a resource; the contract is docs/api.md."""

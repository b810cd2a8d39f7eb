"""Requests made from the OpenAPI description, valid and not, against a running server: `make fuzz`."""

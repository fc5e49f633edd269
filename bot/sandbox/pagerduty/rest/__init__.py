"""The REST API, one module per resource; `routes.py` says what a route is."""

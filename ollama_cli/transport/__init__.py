"""Requests on the wire: clients, the signature of each request, and failures in our own words."""

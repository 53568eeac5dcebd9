"""Manifests against a real API server."""

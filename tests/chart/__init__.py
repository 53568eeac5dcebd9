"""The chart as Helm renders it, and as a real API server takes it. `python -m chart` writes `rendered/` anew."""

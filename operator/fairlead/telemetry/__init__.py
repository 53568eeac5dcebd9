"""What operators of the controller see of its inside: log lines (`log`) and metrics (`metrics`).

Here belong how a line looks, which fields it always has, and the names of all metrics. When something is worth a line or a count is said
where it happens. Events and conditions, which users see, are not telemetry: they are written through the API. Tracing is not here either.
"""

"""What operators of the controller see of its inside: log lines (`log`), metrics (`metrics`), and on demand traces (`journeys`, `traces`).

Here belong how a line looks, which fields it always has, the names of all metrics, and what a trace holds. When something is worth a line
or a count is said where it happens. Events and conditions, which users see, are not telemetry: they are written through the API.
"""

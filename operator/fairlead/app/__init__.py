"""Puts the program together: settings, ports, engine, kopf, health. The only place that knows every layer below it."""

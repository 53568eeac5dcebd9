"""Writes what of the chart follows from code: its values with their schema and table, its rights, its CRDs.

The templates are written by hand. What they take from here they cannot say otherwise than the code does.
"""

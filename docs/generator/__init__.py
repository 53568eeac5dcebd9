"""Writes the pages of docs/reference/ from the code, so that they cannot say something else than it does.

What can be read off the code belongs here; what a person has to explain is written by hand in the other pages.
"""

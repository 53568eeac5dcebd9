"""Measures of the product beside what a person would do without it, side by side in one run, on real parts of this machine.

Here belong what is measured, the peers, and the page about it. The product's own code is measured, never a copy of it; a promise is tested
elsewhere. `python -m benchmarks` runs all; docs/performance.md is what they wrote last.
"""

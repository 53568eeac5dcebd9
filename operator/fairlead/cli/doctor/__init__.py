"""`fairlead doctor`: looks at a Cluster as a person would, step by step, and says of each what to change.

The way to a host is tried over the product's own SSH (`way`), what it has is asked for by one program that changes nothing there
(`schedulers.doctor`), and the rules (`rules_of_*`) make a finding of each fact. They are pure.
"""

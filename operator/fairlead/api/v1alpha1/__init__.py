"""fairlead.dev/v1alpha1: Cluster and Job.

``names`` holds every frozen string, ``meta`` what the resources share, ``cluster`` and ``job`` one resource each, ``reasons`` the words of
conditions. ``memory``, ``time_limit``, ``script_rules`` and ``owned_options`` say what a value means and when it is refused; the controller
and the schedulers ask the same functions and tables from which the CRD's rules are made.

A field stands in these models only when it works. v1alpha1 grows by addition; nothing here is renamed or removed.
"""

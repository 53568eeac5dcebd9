"""The rules, pure: values in, frozen values out, time is an argument.

Here belong what a Run is, what counts as evidence of its end, and what a Job or a Cluster does next. Here belong no event loop, no socket,
no clock, no scheduler's words (`schedulers`) and no Kubernetes client (`kube`).
"""

"""A bare host with no scheduler: a queue, slots and GPUs that the host itself hands out, by files and processes alone.

Here belongs what a Job may ask of such a host, and how its scripts' answers are read. What happens there is in `sh`, in the files `host*`,
`runner` and `keeper`.
"""

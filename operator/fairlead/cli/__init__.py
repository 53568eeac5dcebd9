"""The command `fairlead`."""

from fairlead.cli.first import heed_sigterm

heed_sigterm()

from fairlead.cli.main import complete_for_kubectl, main  # noqa: E402

__all__ = ["complete_for_kubectl", "main"]

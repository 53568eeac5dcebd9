"""The page of the command line: every command with its options."""

import click

from fairlead.cli.main import commands
from generator.markdown import cell, code, table

INTRODUCTION = """# Commands

One program, `fairlead`. Each option can also be set in the environment, as `FAIRLEAD_<COMMAND>_<OPTION>`. What cannot work ends with one
sentence on standard error and exit code 2 (wrong use or settings) or 1 (anything else).

## The way to the API server

As kubectl: `KUBECONFIG` may name several files, of which the first one that has an entry, or a current context, counts. `--context`,
`--as`, `--as-group` and `--as-uid` mean what they mean there, and lie over what the kubeconfig says (`as`, `as-groups`, `as-uid`,
`as-user-extra`). Certificates, tokens, token files, credential programs (`exec`, with a token or a certificate, also those that ask a
person) and OIDC are taken; a renewed OIDC token is written into the kubeconfig, as kubectl does. Without a file, a pod's service account
is used.

What does not work says so: a proxy that is neither http nor https (`proxy-url: socks5://...`), `proxy-url` together with
`tls-server-name`, a server without `https://`, and the authentication providers that Kubernetes dropped in 1.26. Two things are otherwise
than with kubectl: a proxy in the environment (`HTTPS_PROXY`) is not used, only `proxy-url`; and where a user has both `exec` and a token,
the program is asked.
"""


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for name, command in sorted(commands.commands.items()):
        context = click.Context(command, info_name=f"fairlead {name}")
        usage = " ".join(["fairlead", name, *command.collect_usage_pieces(context)])
        parts += [f"## {name}\n", f"```\n{usage}\n```\n", f"{_help(command)}\n"]
        options = [each for each in command.params if isinstance(each, click.Option)]
        if options:
            rows = [[_names(each), _default(each), each.help or ""] for each in options]
            parts.append(table(["Option", "Default", "What it says"], rows))
    return "\n".join(parts)


def _help(command: click.Command) -> str:
    return "\n\n".join(cell(each) for each in (command.help or "").replace("\b", "").split("\n\n"))


def _names(option: click.Option) -> str:
    return ", ".join(code(each) for each in option.opts)


def _default(option: click.Option) -> str:
    shown = option.default if option.show_default and not callable(option.default) else ""
    return code(str(shown))

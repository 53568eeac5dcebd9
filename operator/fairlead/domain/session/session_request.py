"""What a Session asks for with its current attempt."""

from fairlead.api.v1alpha1.session import SessionResources
from fairlead.domain.run.request import RunRequest
from fairlead.domain.session.session import Session, wanted_token


class _Asked(SessionResources):
    """Its resources as a preparer takes them: with its folder. Its output goes to the default file in there."""

    working_dir: str | None = None
    stdout_path: str | None = None
    stderr_path: str | None = None


def request(session: Session, _text: str | None) -> RunRequest:
    """What is to be prepared."""
    spec, application = session.spec, session.spec.application
    asked = _Asked.model_validate({**dict(spec.resources), "working_dir": application.working_dir})
    env = {each.name: each.value for each in application.env}
    return RunRequest(session.key, session.owner, asked, None, _command(session), application.args, env)


def _command(session: Session) -> tuple[str, ...]:
    """Its own, or its preset's: on a bare host the gateway comes from the host itself, under Slurm from the login node."""
    application, preset = session.spec.application, session.preset
    if preset is None:
        return application.command
    return preset.command(application.port, from_its_node=bool(session.host), has_token=wanted_token(session) is not None)

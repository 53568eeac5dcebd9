"""Settings of controller and gateway, from a YAML file and checked: an unknown name or a wrong value ends the start with a sentence."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fairlead.domain.errors import UserFault
from fairlead.engine.settings import EngineSettings
from fairlead.gateway.settings import GatewaySettings
from fairlead.kube.limits import KubeLimits
from fairlead.schedulers.process.scheduler import ProcessTimeouts
from fairlead.schedulers.slurm.scheduler import SlurmTimeouts
from fairlead.ssh.limits import PoolLimits, TunnelLimits


class LeaseTimes(BaseModel):
    """The Lease by which one of several controllers leads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    duration_seconds: int = Field(default=15, ge=2)
    """Leadership lasts this long without a renewal."""
    renew_interval_seconds: float = Field(default=4.0, gt=0)
    """Between two renewals."""
    margin_seconds: float = Field(default=3.0, ge=0)
    """Who has led stops acting so long before others may take over."""


class GatewayLeaseTimes(LeaseTimes):
    """The Lease of one gateway, by which the others see that it lives."""

    duration_seconds: int = Field(default=5, ge=2)
    """Without a renewal others take its Sessions after this."""
    renew_interval_seconds: float = Field(default=1.5, gt=0)
    """Between two renewals."""
    margin_seconds: float = Field(default=1.0, ge=0)
    """It takes no Session any more so long before others may take its own."""


class Settings(BaseModel):
    """The sections of the settings file; the defaults are for production.

    Every grace and time-out of controller and gateway is one of these, but for those that belong to a protocol: they stand beside what
    keeps to it (what a script at the far end does: `schedulers/exchanges.py` and the schedulers; how an exec is ended: `ssh/channel.py`).
    The commands have options.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineSettings = EngineSettings()
    slurm: SlurmTimeouts = SlurmTimeouts()
    process: ProcessTimeouts = ProcessTimeouts()
    ssh: PoolLimits = PoolLimits()
    kube: KubeLimits = KubeLimits()
    lease: LeaseTimes = LeaseTimes()
    gateway: GatewaySettings = GatewaySettings()
    gateway_lease: GatewayLeaseTimes = GatewayLeaseTimes()
    tunnels: TunnelLimits = TunnelLimits()


def load(path: Path | None) -> Settings:
    """Read the file; no file: the defaults.

    Raises `UserFault` with the name and place of what is wrong.
    """
    if path is None:
        return Settings()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        msg = f"settings file {path}: {error}"
        raise UserFault(msg) from error
    if not isinstance(content, dict):
        msg = f"settings file {path}: write sections ({', '.join(Settings.model_fields)}), each with its settings"
        raise UserFault(msg)
    for name, section in content.items():
        if name in Settings.model_fields:
            _check_names(path, str(name), Settings.model_fields[name].default, section)
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        msg = f"settings file {path}, {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise UserFault(msg) from error


def _check_names(path: Path, place: str, default: Any, section: Any) -> None:
    """Standard dataclasses would pass over a misspelt name in silence."""
    if not is_dataclass(default) or not isinstance(section, dict):
        return
    known = {each.name for each in fields(default)}
    for name, value in section.items():
        if name not in known:
            msg = f"settings file {path}: {place} has no setting {name!r}; it has {', '.join(sorted(known))}"
            raise UserFault(msg)
        _check_names(path, f"{place}.{name}", getattr(default, str(name)), value)

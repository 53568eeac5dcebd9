"""Controller and gateway as they run in production: the defaults of every setting, and no line of debugging."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from product.controller import Controller
from product.gateway import GatewayProcess


class ProductionController(Controller):
    """A process of its own; the test bed lowers its settings, this does not."""

    settings: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    log_level: ClassVar[str] = "info"


class ProductionGateway(GatewayProcess):
    """A process of its own, too."""

    settings: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    log_level: ClassVar[str] = "info"

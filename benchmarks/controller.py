"""The controller as it runs in production: the defaults of every setting, and no line of debugging."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from product.controller import Controller


class ProductionController(Controller):
    """A process of its own; the test bed lowers its settings, this does not."""

    settings: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    log_level: ClassVar[str] = "info"

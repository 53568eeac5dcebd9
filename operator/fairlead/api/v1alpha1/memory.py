"""Memory as Kubernetes writes it, in the unit in which Slurm takes it.

The grammar is that of Kubernetes quantities without the suffixes below one byte's thousandth and above peta:
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from typing import Final

from fairlead.api.v1alpha1.schema import Rule

_SCALES: Final[dict[str, Decimal]] = {
    "": Decimal(1), "m": Decimal("0.001"),
    "k": Decimal(10) ** 3, "M": Decimal(10) ** 6, "G": Decimal(10) ** 9, "T": Decimal(10) ** 12, "P": Decimal(10) ** 15,
    "Ki": Decimal(2) ** 10, "Mi": Decimal(2) ** 20, "Gi": Decimal(2) ** 30, "Ti": Decimal(2) ** 40, "Pi": Decimal(2) ** 50,
}
_NUMBER: Final = r"[0-9]{1,15}(\.[0-9]{1,9})?"
_PATTERN: Final = rf"^{_NUMBER}(k|Ki|[MGTP]i?|m|[eE][0-9]{{1,2}})?$"
_PARTS: Final = re.compile(rf"({_NUMBER})(?:[eE]([0-9]{{1,2}})|([A-Za-z]*))")
SENTENCE: Final = "memory is a Kubernetes quantity from 1Mi to 1000Pi, such as 4Gi, 500Mi or 4G; a number without a unit counts bytes"
RULE: Final = Rule(
    f"string(self).matches(r'{_PATTERN}') && isQuantity(string(self))"
    " && !quantity(string(self)).isLessThan(quantity('1Mi')) && !quantity(string(self)).isGreaterThan(quantity('1000Pi'))",
    SENTENCE,
)


def memory_mib(quantity: int | str) -> int:
    """Convert a quantity (`4Gi`, `4G` = 10^9 bytes, a bare number = bytes) to MiB, rounded up.

    Raises:
        ValueError: it is not a quantity that the Job's schema accepts.
    """
    found = _PARTS.fullmatch(str(quantity))
    suffix = (found[4] or "") if found else ""
    if found is None or suffix not in _SCALES:
        raise ValueError(SENTENCE)
    size_bytes = Decimal(found[1]) * _SCALES[suffix] * Decimal(10) ** int(found[3] or 0)
    if not Decimal(2) ** 20 <= size_bytes <= Decimal(1000) * _SCALES["Pi"]:
        raise ValueError(SENTENCE)
    return int((size_bytes / Decimal(2) ** 20).to_integral_value(rounding=ROUND_CEILING))

"""What can be the token of a process, and what cannot."""

import pytest

from fairlead.domain.run.token import MOST_BYTES, token_fault


@pytest.mark.parametrize("token", [b"s3cret", b"a" * MOST_BYTES, "schlüssel".encode(), b"two words", b"$(id)'\"\\"])
def test_a_line_of_text_can_be_one(token: bytes) -> None:
    """Else a token that works elsewhere would keep its Session waiting."""
    assert token_fault(token) == ""


@pytest.mark.parametrize(("token", "says"), [
    (b"", "is empty"), (b"a" * (MOST_BYTES + 1), "has 4097 bytes, and a token has 4096 at most"), (b"s3cret\n", "ends with a line end"),
    (b"s3cret\r\n", "ends with a line end"), (b"s3\ncret", "holds a line end or another control character"),
    (b"s3\ncret\n", "holds a line end"), (b"s3\tcret", "holds"), (b"s3\0cret", "holds"), (b"s3\x7fcret", "holds"),
    ("s3\u2028cret".encode(), "holds"), ("s3\x85cret".encode(), "holds"), (b"s3\xffcret", "is no UTF-8 text"),
])
def test_what_is_none_is_told_and_not_shown(token: bytes, says: str) -> None:
    """Else a header or a variable would be cut there, or a Secret would stand in a status."""
    fault = token_fault(token)
    assert fault.startswith(says)
    assert "s3" not in fault

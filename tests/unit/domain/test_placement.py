"""Which of several bare hosts a Job gets."""

import pytest

from fairlead.domain.cluster.placement import Room, place
from fairlead.domain.run.request import Size

SMALL, LARGE, GPUS = Size(4), Size(16), Size(16, 8)


def room(host: str, whole: Size, *, used: Size = Size(0), reached: bool = True) -> Room:  # noqa: B008  frozen
    """One host."""
    return Room(host, whole, whole - used, reached)


@pytest.mark.parametrize(("waiting", "rooms", "given"), [
    pytest.param([Size(1)], [room("a", SMALL), room("b", LARGE)], {0: "b"}, id="where most is free"),
    pytest.param([Size(1)] * 3, [room("a", Size(1)), room("b", Size(1))], {0: "a", 1: "b"}, id="each host no more than it has"),
    pytest.param([Size(1)], [room("a", GPUS), room("b", SMALL)], {0: "b"}, id="without a GPU it leaves the GPUs alone"),
    pytest.param([Size(1, 2)], [room("a", GPUS), room("b", Size(16, 4), used=Size(1, 2))], {0: "b"}, id="what is left stays whole"),
    pytest.param([Size(1)], [room("a", LARGE, reached=False), room("b", SMALL)], {0: "b"}, id="not where nobody answers"),
    pytest.param([Size(1)], [room("a", LARGE, reached=False)], {}, id="nowhere, if nobody answers"),
    pytest.param([Size(16), Size(1)], [room("a", SMALL), room("b", LARGE, used=Size(1))], {1: "a"},
                 id="a large one keeps those behind it from its host, and from no other"),
    pytest.param([Size(1, 1), Size(1)], [room("a", GPUS, used=Size(0, 8)), room("b", SMALL)], {1: "b"},
                 id="who waits for a GPU holds back nobody who needs none"),
    pytest.param([Size(4), Size(4)], [room("a", SMALL, used=Size(1)), room("b", SMALL, reached=False)], {},
                 id="a host that does not answer is waited for, too"),
    pytest.param([Size(0)], [room("a", Size(1), used=Size(1))], {0: "a"}, id="what can never run is told so by any host"),
    pytest.param([Size(1)], [room("a", Size(2), used=Size(5))], {}, id="a host that was made smaller gets nothing until it is free"),
])
def test_a_job_gets_a_host_on_which_it_fits_now(waiting: list[Size], rooms: list[Room], given: dict[int, str]) -> None:
    """Else a Job would wait at a full host while another is free, or small ones would keep a large one waiting for ever."""
    assert place([(str(number), size, "") for number, size in enumerate(waiting)], rooms) == {str(uid): host for uid, host in given.items()}


def test_who_is_bound_to_a_full_host_holds_back_nobody_from_another() -> None:
    """Else one Job that may run on one host alone would stop all others."""
    rooms = [room("a", SMALL, used=SMALL), room("b", SMALL)]
    assert place([("x", Size(1), "a"), ("y", Size(1), "")], rooms) == {"y": "b"}

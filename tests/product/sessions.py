"""Sessions, for tests that are about something else."""

import socket
from typing import Any

from product.scene import Scene, Thing
from product.waiting import until

SLICES = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices/{}"


def ended_session(scene: Scene, name: str) -> Thing:
    """One that has run and ended, and is not watched any more."""
    session = scene.session(name, "true")
    session.wait("Ended")
    until(lambda: (session.read() or {})["metadata"].get("labels", {}).get("fairlead.dev/finished"), "the finished label")
    return session


def use_sessions(scene: Scene) -> None:
    """Have all done that the controller does for Sessions alone: a Service and a token are made, and a name is found taken."""
    scene.api.apply(f"/api/v1/namespaces/{scene.namespace}/services/taken",
                    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "taken"}, "spec": {"ports": [{"port": 80}]}})
    sessions = [scene.session(name, "true") for name in ("taken", "free")]
    process = {"command": ["true"], "port": 8000, "token": "Generated"}
    sessions.append(scene.session("guarded", "true", application=process))
    for each in sessions:
        each.wait("Ended")
        each.delete()


def slice_of(session: Thing) -> dict[str, Any] | None:
    """The EndpointSlice of its name."""
    return session.scene.api.get(SLICES.format(session.scene.namespace, session.name))


def place_of(session: Thing) -> tuple[str, int]:
    """Where its Service leads."""
    found = slice_of(session)
    assert found is not None
    return found["endpoints"][0]["addresses"][0], found["ports"][0]["port"]


def is_refused(place: tuple[str, int]) -> bool:
    """Whether nobody listens there. Who is reset at once, or hears nothing, has found somebody."""
    try:
        socket.create_connection(place, timeout=5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False

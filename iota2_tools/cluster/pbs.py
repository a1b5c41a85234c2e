"""What PBS's own commands tell."""

import getpass
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from iota2_tools.cluster.queues import Queue, ask, largest, smallest
from iota2_tools.core.errors import ClusterError

_BYTES = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40, "pb": 2**50}


def _told(*command: str) -> dict:
    """What a command tells in JSON, which PBS has known since version 18."""
    text = ask(*command, "-F", "json")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ClusterError(f"{command[0]}: its JSON cannot be read ({error})") from None


def queues() -> dict[str, Queue]:
    """The queues of the server, by name."""
    return queues_of(
        _told("qstat", "-B", "-f"), _told("qstat", "-Q", "-f"), _told("pbsnodes", "-a")
    )


def queues_of(server: dict, queues: dict, nodes: dict) -> dict[str, Queue]:
    """The queues, from what `qstat -B`, `qstat -Q` and `pbsnodes` tell.

    A job has one chunk, so the largest host bounds it too. A routing queue gives what the
    largest of its destinations gives.
    """
    (of_server,) = server["Server"].values()
    bounds = [_limits(of_server), _largest_host(nodes["nodes"].values())]
    found: dict[str, Queue] = {}
    for name, told in sorted(queues["Queue"].items(), key=lambda item: _is_route(item[1])):
        most = [_limits(told), *bounds]
        if _is_route(told):
            most.append(_limits_of_destinations(told, found))
        limits = (smallest(*values) for values in zip(*most, strict=True))
        found[name] = Queue(name, name == of_server.get("default_queue"), *limits)
    return found


def _is_route(told: dict) -> bool:
    return told["queue_type"].startswith("R")


def _limits_of_destinations(told: dict, known: dict[str, Queue]) -> tuple[int | None, ...]:
    """The largest limits among the destinations; a queue of another server has unknown ones."""
    names = told.get("route_destinations", "").split(",")
    targets = [known.get(name, Queue(name, False, None, None, None)) for name in names]
    return tuple(
        largest(*(getattr(target, limit) for target in targets))
        for limit in ("memory_mb", "runtime_minutes", "threads")
    )


def _limits(told: dict) -> tuple[int | None, ...]:
    """Memory, time and processors that a server or queue gives a job."""
    most = told.get("resources_max", {})
    return _megabytes(most.get("mem")), _minutes(most.get("walltime")), _count(most.get("ncpus"))


def _largest_host(nodes: Iterable[dict]) -> tuple[int | None, None, int | None]:
    """Most memory and most processors of one host; its virtual nodes count together."""
    memory: Counter = Counter()
    processors: Counter = Counter()
    for node in nodes:
        has = node.get("resources_available", {})
        host = has.get("host", node.get("Mom"))
        memory[host] += _megabytes(has.get("mem")) or 0
        processors[host] += _count(has.get("ncpus")) or 0
    return (
        max(memory.values(), default=0) or None,
        None,
        max(processors.values(), default=0) or None,
    )


def _count(value: object) -> int | None:
    return int(str(value)) if str(value).isdigit() else None


def _megabytes(text: object) -> int | None:
    """Whole units of 2^20 bytes, PBS's mb, of `24684096kb`; None for no limit."""
    found = re.fullmatch(r"(\d+)([kmgtp]?b)?", str(text).lower())
    return int(found[1]) * _BYTES[found[2] or "b"] // 2**20 if found else None


def _minutes(text: object) -> int | None:
    """Whole minutes of `48:00:00`, `30:00` or `1800`; None for no limit."""
    if not re.fullmatch(r"\d+(:\d+){0,2}", str(text)):
        return None
    seconds = 0
    for part in str(text).split(":"):
        seconds = 60 * seconds + int(part)
    return seconds // 60


def pending_reason(folder: Path) -> str:
    """State of the user's jobs that work in a folder, and why they wait, in PBS's words."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return ""
    ids = ask("qselect", "-u", name).split()
    return waiting_in(folder, _told("qstat", "-f", *ids)) if ids else ""


def waiting_in(folder: Path, jobs: dict) -> str:
    """The same, from what `qstat -f` tells of the jobs."""
    states = defaultdict(list)
    for job in jobs.get("Jobs", {}).values():
        place = job.get("Variable_List", {}).get("PBS_O_WORKDIR")
        states[place].append(f"{job['job_state']}, {job.get('comment', 'without a comment')}")
    return "; ".join(states[str(folder)])

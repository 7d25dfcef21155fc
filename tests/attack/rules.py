"""How an attack is declared, carried out and judged."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from attack.client import Answer
from attack.service import FaultError, Project, check

REFUSED = {400, 404, 405, 408, 411, 413, 414, 415, 422, 431, 501}
TRIES = 3  # a probe that was held too long is tried again: the machine is shared

Function = Callable[[Project], Awaitable[str]]


@dataclass(frozen=True)
class Attack:
    """An attack.

    Attributes:
        function: Carries it out, returns what happened, and raises `FaultError` after a fault.
        seconds: The longest that it may take.
        memory: MB that the service may take beyond what it had before.
        held: ms of CPU that may pass until a probe is answered.
        alone: Whether it starts its own services: then nobody watches the shared one.
        tasks: For which kinds of samples it is.
    """

    function: Function
    seconds: float
    memory: float
    held: float
    alone: bool
    tasks: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.function.__module__.rpartition('.')[2]}.{self.function.__name__}"


ATTACKS: list[Attack] = []


def attack(
    seconds: float = 20,
    memory: float = 100,
    held: float = 50,
    alone: bool = False,
    tasks: tuple[str, ...] = ("images", "texts", "rows"),
) -> Callable[[Function], Function]:
    """Add a function to the attacks."""

    def added(function: Function) -> Function:
        ATTACKS.append(Attack(function, seconds, memory, held, alone, tasks))
        return function

    return added


def refused(answer: Answer, *also: int) -> str:
    """Check that a request was refused, or the connection closed; `also` are other good answers."""
    if answer.status == 0:
        return "closed"
    check(answer.status in {*REFUSED, *also}, f"answer {answer.status}")
    good = answer.status == 404 or answer.json().keys() & {"detail", "predictions"}
    check(good, f"answer {answer.status}: {answer.body[:99]!r}")
    return str(answer.status)


async def carry_out(attack: Attack, project: Project) -> str:
    """Carry out an attack, print its line, and return the fault that it found, or nothing."""
    start = time.monotonic()
    for _ in range(TRIES):
        happened, fault, held = await once(attack, project)
        if fault or held <= attack.held:
            break
    else:
        fault = f"/livez held for more than {attack.held:g} ms of CPU"
    took = time.monotonic() - start
    print(f"{'FAIL' if fault else 'pass'}  {attack.name:34} {took:5.1f} s  {happened}")
    print(f"      {fault:.500}\n" * bool(fault), end="", flush=True)
    return fault


async def once(attack: Attack, project: Project) -> tuple[str, str, float]:
    """Carry out an attack; return what happened, a fault, and how long probes were held in ms."""
    if not attack.alone:
        project.service.seen()
    happened = fault = ""
    try:
        happened = await asyncio.wait_for(attack.function(project), attack.seconds)
    except TimeoutError:
        fault = f"not over after {attack.seconds:g} s"
    except FaultError as error:
        fault = str(error)
    except Exception as error:  # noqa: BLE001 - the other attacks go on, and the line is printed
        where = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"{error!r:.200} at {where.filename.rpartition('/')[2]}:{where.lineno}"
    if attack.alone:
        return happened, fault, 0
    await asyncio.sleep(0.2)  # for the log, and for requests that were given up
    seen = project.service.seen()
    try:
        check(not fault, fault)
        check(seen["grown"] <= attack.memory, f"it took more than {attack.memory:g} MB")
        check(not seen["lost"], f"{seen['lost']} probes lost")
        project.service.log()
        await project.ask(project.service)
    except FaultError as error:
        fault = str(error)
    return f"{happened} [{seen['grown']:+.0f} MB, {seen['held']:.0f} ms]", fault, seen["held"]

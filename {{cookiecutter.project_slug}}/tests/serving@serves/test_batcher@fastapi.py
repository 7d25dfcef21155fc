import asyncio
import threading

import numpy as np
import pytest
from service import PATIENCE

from {{ cookiecutter.project_slug }}.inference.classes import Prediction
from {{ cookiecutter.project_slug }}.serving.batcher import Batcher, QueueFullError


class Model:
    """Gives each sample its first value as label; waits while `may_run` is clear."""

    def __init__(self):
        self.batches = []
        self.may_run = threading.Event()
        self.may_run.set()

    def __call__(self, inputs):
        assert self.may_run.wait(PATIENCE)
        self.batches.append(len(inputs))
        if 255 in inputs:
            raise ValueError("broken")
        return [Prediction(str(sample.flat[0]), 1.0) for sample in inputs], "version"


@pytest.fixture
def model():
    return Model()


def inputs(*firsts):
    return np.array(firsts, np.uint8).reshape(-1, 1, 1, 1)


async def ask(batcher, inputs):
    return await batcher.submit(inputs).answer


async def occupy(batcher, model):
    """Give the model a request that it does not answer until `may_run` is set."""
    model.may_run.clear()
    request = asyncio.create_task(ask(batcher, inputs(0)))
    await asyncio.sleep(0.05)
    return request


def labels(predictions):
    return [int(prediction.label) for prediction in predictions]


def test_an_idle_model_is_called_at_once(model):
    async def scenario():
        batcher = Batcher(model, max_batch=64, max_queue=64, timeout=10)
        return [labels(await ask(batcher, inputs(n))) for n in range(3)]

    assert asyncio.run(scenario()) == [[0], [1], [2]]
    assert model.batches == [1, 1, 1]


def test_requests_of_one_moment_share_a_call_and_get_their_own_answers(model):
    async def scenario():
        batcher = Batcher(model, max_batch=64, max_queue=256, timeout=10)
        requests = [inputs(*range(n, n + 1 + n % 3)) for n in range(40)]
        answers = await asyncio.gather(*(ask(batcher, request) for request in requests))
        return requests, answers

    requests, answers = asyncio.run(scenario())
    assert [labels(answer) for answer in answers] == [list(r.flat) for r in requests]
    assert len(model.batches) == 2
    assert max(model.batches) <= 64


def test_requests_that_arrive_while_the_model_is_busy_share_the_next_call(model):
    async def scenario():
        batcher = Batcher(model, max_batch=64, max_queue=64, timeout=10)
        first = await occupy(batcher, model)
        others = [asyncio.create_task(ask(batcher, inputs(n))) for n in range(1, 9)]
        await asyncio.sleep(0.05)
        model.may_run.set()
        return labels(await first), [labels(await other) for other in others]

    assert asyncio.run(scenario()) == ([0], [[n] for n in range(1, 9)])
    assert model.batches == [1, 8]


def test_a_full_queue_turns_away_and_takes_again(model):
    async def scenario():
        batcher = Batcher(model, max_batch=2, max_queue=4, timeout=10)
        running = await occupy(batcher, model)
        waiting = [asyncio.create_task(ask(batcher, inputs(n))) for n in (1, 2, 3, 4)]
        await asyncio.sleep(0.05)
        with pytest.raises(QueueFullError):
            await ask(batcher, inputs(5))
        model.may_run.set()
        answers = [labels(answer) for answer in await asyncio.gather(running, *waiting)]
        return answers, labels(await ask(batcher, inputs(6)))

    assert asyncio.run(scenario()) == ([[0], [1], [2], [3], [4]], [6])


def test_large_requests_leave_room_for_small_ones(model):
    async def scenario():
        batcher = Batcher(model, max_batch=8, max_queue=32, timeout=10)
        running = await occupy(batcher, model)
        large = 0
        while batcher.fits(8):
            batcher.submit(inputs(*[1] * 8))
            large += 1
        small = 0
        while batcher.fits(1):
            batcher.submit(inputs(2))
            small += 1
        model.may_run.set()
        await running
        return large, small

    assert asyncio.run(scenario()) == (2, 16)


def test_a_request_that_waits_too_long_gets_an_error_and_is_never_computed(model):
    async def scenario():
        batcher = Batcher(model, max_batch=1, max_queue=4, timeout=0.1)
        model.may_run.clear()
        tasks = [asyncio.create_task(ask(batcher, inputs(n))) for n in range(3)]
        done, _ = await asyncio.wait(tasks, timeout=5)
        assert [type(task.exception()) for task in done] == [TimeoutError] * 3
        model.may_run.set()
        return labels(await ask(batcher, inputs(9)))

    assert asyncio.run(scenario()) == [9]
    assert model.batches == [1, 1]


def test_the_time_limit_holds_for_each_request_and_keeps_no_answered_ones(model):
    async def scenario():
        batcher = Batcher(model, max_batch=1, max_queue=4, timeout=0.2)
        for n in range(50):
            await ask(batcher, inputs(n))
        assert len(batcher.deadlines) == 1
        await asyncio.sleep(0.15)
        model.may_run.clear()
        start = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await ask(batcher, inputs(0))
        took = asyncio.get_running_loop().time() - start
        model.may_run.set()
        return took

    assert 0.19 <= asyncio.run(scenario()) < 5


def test_an_error_goes_to_the_requests_of_its_call_and_to_no_others(model):
    async def scenario():
        batcher = Batcher(model, max_batch=4, max_queue=8, timeout=10)
        requests = (inputs(1), inputs(255), inputs(2, 2), inputs(3))
        return await asyncio.gather(
            *(ask(batcher, request) for request in requests), return_exceptions=True
        )

    *broken, last = asyncio.run(scenario())
    assert [type(error) for error in broken] == [ValueError] * 3
    assert labels(last) == [3]


def test_a_request_whose_client_has_left_is_left_out(model):
    async def scenario():
        batcher = Batcher(model, max_batch=4, max_queue=8, timeout=10)
        first = await occupy(batcher, model)
        waiting = [batcher.submit(inputs(n)) for n in (1, 2)]
        waiting[0].answer.cancel()
        model.may_run.set()
        return labels(await first), labels(await waiting[1].answer)

    assert asyncio.run(scenario()) == ([0], [2])
    assert model.batches == [1, 1]

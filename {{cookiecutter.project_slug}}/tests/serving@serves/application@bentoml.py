from contextlib import contextmanager
from functools import cache

import pytest

from {{ cookiecutter.project_slug }}.serving import bento
from {{ cookiecutter.project_slug }}.serving.current import Current


@contextmanager
def application(predictor, settings):
    """Make the application around a predictor of the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bento, "settings", settings)
        current = Current(predictor, settings)
        patch.setattr(bento, "current", lambda: current)
        for name in ("body_type", "answer_type", "health", "open_inference", "described"):
            patch.setattr(bento, name, cache(getattr(bento, name).__wrapped__))
        # Counters can be registered only once in a process
        patch.setitem(bento.service.config, "metrics", {"enabled": False})
        for endpoint in bento.service.apis.values():
            patch.setattr(endpoint, "max_batch_size", max(2, settings.max_batch))
            patch.setattr(endpoint, "max_latency_ms", int(settings.timeout * 1000))
        yield bento.make_app()

"""One thread: starting another is refused, and executors do their work at once."""

import concurrent.futures
import threading

REFUSAL = (
    "can't start new thread: functions run in one thread; do the work in the handler, with asyncio, "
    "or with concurrent.futures.ThreadPoolExecutor, which does it at once"
)


def _start(self):
    raise RuntimeError(REFUSAL)


def _submit(self, fn, /, *args, **kwargs):
    if self._shutdown:
        raise RuntimeError("cannot schedule new futures after shutdown")
    future = concurrent.futures.Future()
    future.set_running_or_notify_cancel()
    if self._lamina_initializer:
        initializer, arguments = self._lamina_initializer
        self._lamina_initializer = None
        initializer(*arguments)
    try:
        result = fn(*args, **kwargs)
    except BaseException as error:
        future.set_exception(error)
        if not isinstance(error, Exception):
            raise
    else:
        future.set_result(result)
    return future


def install():
    """Work of a pool is done in `submit`: its futures are finished when it returns."""
    pool = concurrent.futures.ThreadPoolExecutor
    begin = pool.__init__

    def __init__(self, max_workers=None, thread_name_prefix="", initializer=None, initargs=(), **kwargs):
        begin(self, max_workers, thread_name_prefix, initializer, initargs, **kwargs)
        self._lamina_initializer = (initializer, initargs) if initializer else None

    pool.__init__ = __init__
    pool.submit = _submit
    threading.Thread.start = _start

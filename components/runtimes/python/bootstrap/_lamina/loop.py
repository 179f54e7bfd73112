"""asyncio without a socket pair: one thread, nothing to watch, only timers.

CPython's loop wakes itself by a pair of sockets, which WebAssembly has not.
"""

import asyncio
import asyncio.events
import asyncio.runners
import selectors
import time
import warnings

# Nothing but the function's timeout ends a wait for what never comes.
_FOREVER_S = 24 * 3600


class _Sleeper(selectors._BaseSelectorImpl):
    """Watches nothing: its wait is a sleep."""

    def select(self, timeout=None):
        if timeout is None or timeout > 0:
            time.sleep(_FOREVER_S if timeout is None else timeout)
        return []


class Loop(asyncio.SelectorEventLoop):
    """The loop that every way to one gives."""

    def __init__(self, selector=None):
        super().__init__(_Sleeper())

    def _make_self_pipe(self):
        self._ssock = self._csock = None
        self._internal_fds = 0

    def _close_self_pipe(self):
        pass

    def _write_to_self(self):
        pass

    def run_in_executor(self, executor, func, *args):
        """There is one thread: the work is done here and now."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    async def shutdown_default_executor(self, timeout=None):
        pass


def install():
    """Makes it the loop of `asyncio.run`, of policies and of whoever names the class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        policy = asyncio.DefaultEventLoopPolicy()
        type(policy)._loop_factory = Loop
        asyncio.set_event_loop_policy(policy)
    asyncio.SelectorEventLoop = asyncio.EventLoop = Loop

"""A function as a component of its own: the world `function` of `wit/`, in Python."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.lamina_function_types import Context, FunctionError


class Handler(exports.Handler):
    """The export `handler`."""

    def handle(self, event: bytes, context: Context) -> bytes:
        """Greets whoever the event names."""
        name = json.loads(event).get("name", "world")
        if not isinstance(name, str):
            raise Err(FunctionError("Greeting.BadName", "the name is not a text", []))
        print(f"greeting {name}")
        return json.dumps({"message": f"Hello, {name}!", "requestId": context.request_id}).encode()

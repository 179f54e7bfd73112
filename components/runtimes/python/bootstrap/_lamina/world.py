"""The world's exports."""

import importlib
import json
import sys

# componentize-py makes an object of the class for each export: state is the module's.
handler_function = None


class WitWorld:
    def preload(self, handler):
        global handler_function
        sys.path[:] = ["/var/task", "/opt/python"]
        sys.path_importer_cache.clear()
        module, name = handler.rsplit(".", 1)
        handler_function = getattr(importlib.import_module(module.replace("/", ".")), name)

    def handle(self, event, context, response):
        return json.dumps(handler_function(json.loads(event), context)).encode()

    def before_snapshot(self):
        pass

    def after_restore(self):
        pass

    def derive(self, handler):
        return b""

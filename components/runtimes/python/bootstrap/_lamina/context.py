"""The handler's second argument."""

import json
import time

from . import logs
from .errors import Fault


class Context:
    """Lambda's context object: its attributes and methods."""

    def __init__(self, facts):
        self.aws_request_id = facts.request_id
        self.log_group_name = facts.log_group_name
        self.log_stream_name = facts.log_stream_name
        self.function_name = facts.function_name
        self.memory_limit_in_mb = str(facts.memory_limit_in_mb)
        self.function_version = facts.function_version
        self.invoked_function_arn = facts.invoked_function_arn
        self.tenant_id = None
        self.client_context = _client_context(facts.client_context)
        self.identity = _identity(facts.identity)
        self._epoch_deadline_time_in_ms = facts.deadline_ms

    def get_remaining_time_in_millis(self):
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, msg):
        logs.event(str(msg))

    def __repr__(self):
        names = (
            "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
            "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id",
        )  # fmt: skip
        return _shown("LambdaContext", self, names)


# The name that people see in logs and that some programs ask for.
Context.__name__ = Context.__qualname__ = "LambdaContext"


class CognitoIdentity:
    """Who called, where Cognito knows."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __repr__(self):
        return _shown("CognitoIdentity", self, self.__slots__)


class Client:
    """The caller's app."""

    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")

    def __repr__(self):
        return _shown("Client", self, self.__slots__)


class ClientContext:
    """What the caller sent as client context."""

    __slots__ = ("custom", "env", "client")

    def __repr__(self):
        return _shown("ClientContext", self, self.__slots__)


def _shown(name, value, attributes):
    return f"{name}([{','.join(f'{each}={getattr(value, each)}' for each in attributes)}])"


def _parsed(text, what):
    try:
        return json.loads(text)
    except Exception as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse {what} JSON: {error}") from None


def _filled(kind, members):
    value = kind()
    for name in kind.__slots__:
        setattr(value, name, members.get(name) if isinstance(members, dict) else None)
    return value


def _client_context(text):
    if not text:
        return None
    value = _filled(ClientContext, _parsed(text, "Client Context"))
    if value.client is not None:
        value.client = _filled(Client, value.client)
    return value


def _identity(text):
    value = _filled(CognitoIdentity, None)
    if text:
        members = _parsed(text, "Cognito Identity")
        if isinstance(members, dict):
            value.cognito_identity_id = members.get("cognitoIdentityId")
            value.cognito_identity_pool_id = members.get("cognitoIdentityPoolId")
    return value

"""Greets whoever the event names: {"name": "Ada"}, or ?name=Ada at the function's URL."""

import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def lambda_handler(event, context):
    name = event.get("name") or event.get("queryStringParameters", {}).get("name") or "world"
    logger.info("greeting %s, %d ms left", name, context.get_remaining_time_in_millis())
    return {"message": f"Hello, {name}!"}

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

logger = Logger(service="orders")
app = LambdaFunctionUrlResolver()


@app.get("/orders/<number>")
def order(number: str):
    logger.info("an order was asked for", number=number)
    if number == "0":
        raise NotFoundError("there is no order 0")
    return {"order": number, "q": app.current_event.get_query_string_value("q", "")}


@logger.inject_lambda_context
def lambda_handler(event, context):
    return app.resolve(event, context)

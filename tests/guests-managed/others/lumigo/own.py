def handler(event, context):
    return {"name": event["name"], "function": context.function_name}

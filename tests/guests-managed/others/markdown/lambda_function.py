import markdown


def lambda_handler(event, context):
    return markdown.markdown(event["text"], extensions=["tables", "fenced_code"])

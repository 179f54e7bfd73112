from jinja2 import Environment

TEMPLATE = "{% for item in items|sort %}<li>{{ loop.index }} {{ item|e }}</li>{% endfor %}{{ total|round(1) }}"


def lambda_handler(event, context):
    return Environment().from_string(TEMPLATE).render(items=event["items"], total=event["total"])

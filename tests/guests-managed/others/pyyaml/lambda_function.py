import yaml


def lambda_handler(event, context):
    value = yaml.safe_load(event["text"])
    return {"value": value, "text": yaml.safe_dump(value, sort_keys=True)}

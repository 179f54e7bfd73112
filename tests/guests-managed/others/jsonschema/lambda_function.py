from jsonschema import Draft202012Validator

SCHEMA = {
    "type": "object",
    "properties": {"mail": {"type": "string", "pattern": "@"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["mail"],
}


def lambda_handler(event, context):
    errors = Draft202012Validator(SCHEMA).iter_errors(event)
    return sorted([error.json_path, error.validator] for error in errors)

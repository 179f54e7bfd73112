held = open("/var/task/app.py")


def handler(event, context):
    pass

import no_such_module_of_ours


def handler(event, context):
    return 1

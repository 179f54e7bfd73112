"""An extension that a package can do without."""

try:
    from fakepkg import _speed
except ImportError as error:
    WITHOUT = str(error)


def handler(event, context):
    return WITHOUT

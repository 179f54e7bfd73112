from . import _speed

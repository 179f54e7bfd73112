"""What `hashlib` has from OpenSSL elsewhere, in Python: PBKDF2."""

import hashlib
import hmac


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """RFC 8018, 5.2; a few thousand iterations a second."""
    size = hashlib.new(hash_name).digest_size
    length = size if dklen is None else dklen
    if iterations < 1 or length < 1:
        raise ValueError("iterations and dklen must be greater than 0")
    keyed = hmac.new(bytes(password), None, hash_name)

    def once(data):
        copy = keyed.copy()
        copy.update(data)
        return copy.digest()

    derived = b""
    for block in range(1, -(-length // size) + 1):
        digest = once(bytes(salt) + block.to_bytes(4, "big"))
        mixed = int.from_bytes(digest, "big")
        for _ in range(iterations - 1):
            digest = once(digest)
            mixed ^= int.from_bytes(digest, "big")
        derived += mixed.to_bytes(size, "big")
    return derived[:length]


def install():
    """In the snapshot."""
    if not hasattr(hashlib, "pbkdf2_hmac"):
        hashlib.pbkdf2_hmac = pbkdf2_hmac

data = b"ren\xe9"
print("bytes:   ", data.upper())


def sandwich(encoding, work):
    return lambda data: work(data.decode(encoding)).encode(encoding)


print("sandwich:", sandwich("latin-1", str.upper)(data))

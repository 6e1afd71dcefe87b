import codecs

chunks = [b"a\xe2\x82", b"\xacb", b"\xe2"]

try:
    print("".join(c.decode("utf-8") for c in chunks))
except UnicodeDecodeError as err:
    print("each alone: ", err.reason)

decoder = codecs.getincrementaldecoder("utf-8")()
for c in chunks:
    print("incremental:", ascii(decoder.decode(c)))
try:
    decoder.decode(b"", final=True)
except UnicodeDecodeError as err:
    print("final:      ", err.reason)

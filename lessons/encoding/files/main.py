import os
import tempfile

name = os.path.join(tempfile.mkdtemp(), "name.txt")
with open(name, "wb") as f:
    f.write(b"Ren\xe9")

for encoding in "latin-1", "ascii", "utf-8", "utf-16-le":
    try:
        with open(name, encoding=encoding) as f:
            print(f"{encoding:10}", ascii(f.read()))
    except UnicodeDecodeError as err:
        print(f"{encoding:10} {err.reason}, offset {err.start}")

with open(name, encoding="ascii", errors="replace") as f:
    print("replace   ", ascii(f.read()))

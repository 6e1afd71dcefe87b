text = "aé€😀"
for name in "ascii", "latin-1", "utf-8", "utf-16-le", "utf-16-be":
    try:
        print(f"{name:10}", text.encode(name).hex(" "))
    except UnicodeEncodeError as err:
        print(f"{name:10} has no {text[err.start]!r}, which is symbol {err.start}")

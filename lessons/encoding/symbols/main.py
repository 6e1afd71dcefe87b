text = "aé€😀"
print("utf-8:   ", text.encode("utf-8").hex(" "))
print("utf-16le:", text.encode("utf-16-le").hex(" "))
try:
    text.encode("ascii")
except UnicodeEncodeError as err:
    print("ascii:    stops at symbol", err.start)

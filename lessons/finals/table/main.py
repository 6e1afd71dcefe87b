ops = {
    "upper": str.upper,
    "reverse": lambda s: s[::-1],
    "twice": lambda s: s + s,
}
for line in ["upper hello", "reverse hello", "twice hello", "hide hello"]:
    name, _, arg = line.partition(" ")
    op = ops.get(name)
    if op is None:
        print(f"{name}? There are {', '.join(sorted(ops))}.")
        continue
    print(op(arg))

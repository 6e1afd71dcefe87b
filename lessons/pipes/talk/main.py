"""Alice and Bob are two processes that speak over a pipe."""
from multiprocessing import Pipe, Process


def alice(right):
    said = right.recv()
    print(f"I heard Bob say '{said}'.", flush=True)
    right.send("Roger roger. Over and out.")


def bob(left):
    left.send("Hello, Alice!")
    said = left.recv()
    print(f"I heard Alice say '{said}'.", flush=True)


if __name__ == "__main__":
    left, right = Pipe()
    both = [Process(target=bob, args=(left,)), Process(target=alice, args=(right,))]
    for p in both:
        p.start()
    for p in both:
        p.join()
    left.close()
    right.close()

"""Both ends send before they receive: it depends on the size of the message."""
from multiprocessing import Pipe, Process


def talk(end, size):
    end.send_bytes(bytes(size))
    end.recv_bytes()


def meet(size, patience):
    left, right = Pipe()
    both = [Process(target=talk, args=(end, size), daemon=True) for end in (left, right)]
    for p in both:
        p.start()
    for p in both:
        p.join(timeout=patience)
    stuck = any(p.is_alive() for p in both)
    print(f"{size:>9,} bytes: {'both still wait' if stuck else 'fine'}")
    for p in both:
        p.terminate()
        p.join()


if __name__ == "__main__":
    meet(100, patience=5)
    meet(8_000_000, patience=0.2)

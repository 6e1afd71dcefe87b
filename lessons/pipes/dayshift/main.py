"""A parent, a manager and two workers: four processes, a pipe and a queue."""
from multiprocessing import Pipe, Process, Queue
from time import sleep

WORKERS = 2


def manager(parent, queue):
    while (work := parent.recv()) is not None:
        queue.put(work)
    for _ in range(WORKERS):
        queue.put(None)


def worker(queue):
    while (work := queue.get()) is not None:
        print(work, flush=True)
        sleep(0.1)


if __name__ == "__main__":
    queue = Queue()
    mine, theirs = Pipe()
    crew = [Process(target=manager, args=(theirs, queue))]
    crew += [Process(target=worker, args=(queue,)) for _ in range(WORKERS)]
    for p in crew:
        p.start()
    for work in ("dig", "carry", "rake", "sow", None):
        mine.send(work)
    for p in crew:
        p.join()

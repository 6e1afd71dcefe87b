"""A dict given to a process is a copy; a queue brings the result back."""
from multiprocessing import Process, Queue


def fill(shared, queue):
    shared["child"] = 1
    queue.put(shared)


if __name__ == "__main__":
    shared, queue = {}, Queue()
    child = Process(target=fill, args=(shared, queue))
    child.start()
    received = queue.get()
    child.join()
    print("passed:", shared)
    print("through the queue:", received)

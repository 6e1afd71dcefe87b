"""Two processes share a queue: one puts a message, the other gets it."""
from multiprocessing import Process, Queue
from time import sleep


def sleepy(queue, doze_off):
    sleep(doze_off)
    queue.put("Worker awake.")


def work(queue):
    print(f"Got '{queue.get()}' from Queue.")


if __name__ == "__main__":
    queue = Queue()
    workers = [
        Process(target=sleepy, args=(queue, 0.3)),
        Process(target=work, args=(queue,)),
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

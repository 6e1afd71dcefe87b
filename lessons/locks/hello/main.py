from multiprocessing import Lock, Process


def greet(lock, num):
    with lock:
        print("Hello, world", num, flush=True)


if __name__ == "__main__":
    lock = Lock()
    greeters = [Process(target=greet, args=(lock, num)) for num in range(10)]
    for p in greeters:
        p.start()
    for p in greeters:
        p.join()

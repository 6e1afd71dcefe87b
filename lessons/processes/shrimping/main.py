from multiprocessing import Process


def work(name, catches):
    for i in range(catches):
        print(name, i + 1, flush=True)


if __name__ == "__main__":
    crew = [Process(target=work, args=(name, 3)) for name in ("shrimping", "trawling", "sorting")]
    for worker in crew:
        worker.start()
    for worker in crew:
        worker.join()

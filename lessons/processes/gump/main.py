from multiprocessing import Process


def gump():
    for _ in range(5):
        print("Running and", flush=True)


if __name__ == "__main__":
    runners = [Process(target=gump) for _ in range(2)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()

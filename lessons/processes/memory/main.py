from multiprocessing import Process

counter = 0


def count():
    global counter
    counter += 1
    print("in the child process:", counter, flush=True)


if __name__ == "__main__":
    child = Process(target=count)
    child.start()
    child.join()
    print("after the child process:", counter)

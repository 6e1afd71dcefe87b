"""The source document's programs, each asked to do its work many times.

python3 source.py WORK N  does it N times and prints the seconds that it took.
python3 source.py echo    serves on a free port of 127.0.0.1, whose number it
prints, until its standard input ends.

What differs from the document: loops instead of single calls, no printing to
the screen, and the calls that current versions of Python ask for.
"""
import asyncio
import io
import os
import sys
from multiprocessing import Lock, Pipe, Process, Queue
from time import perf_counter


def gump():
    """Time to take off."""


def process(n):
    for _ in range(n):
        p = Process(target=gump)
        p.start()
        p.join()


def sleepy(q, n):
    for _ in range(n):
        q.put("Worker awake.")


def queue(n):
    q = Queue()
    p = Process(target=sleepy, args=(q, n))
    p.start()
    for _ in range(n):
        q.get()
    p.join()


def alice(pipe_right, n):
    for _ in range(n):
        pipe_right.recv()
        pipe_right.send("Roger roger. Over and out.")


def pipe(n):
    left, right = Pipe()
    p = Process(target=alice, args=(right, n))
    p.start()
    for _ in range(n):
        left.send("Hello, Alice!")
        left.recv()
    p.join()


def hello(lock, n):
    with open(os.devnull, "w") as screen:
        for i in range(n):
            with lock:
                print("Hello, world ", i, file=screen, flush=True)


def lock(n):
    shared = Lock()
    both = [Process(target=hello, args=(shared, n // 2)) for _ in range(2)]
    for p in both:
        p.start()
    for p in both:
        p.join()


def future(n):
    async def settle():
        loop = asyncio.get_running_loop()
        for _ in range(n):
            f = loop.create_future()
            f.add_done_callback(lambda f: f.result())
            f.set_result("Done.")
            await f

    asyncio.run(settle())


TEXT = "Smörgåsbord, 寿司, and 🍕 for all. ".encode()


def whole(n):
    data = TEXT * (n // len(TEXT))
    data.decode("utf-8").encode("utf-16-le")


def stream(n):
    src = io.TextIOWrapper(io.BytesIO(TEXT * (n // len(TEXT))), encoding="utf-8", newline="")
    dst = io.TextIOWrapper(open(os.devnull, "wb"), encoding="utf-16-le", newline="")
    with src, dst:
        while text := src.read(1 << 15):
            dst.write(text)


async def handle_echo(reader, writer):
    data = await reader.read(100)
    message = data.decode()
    addr = writer.get_extra_info("peername")
    print(f"Received {message} from {addr}", file=sys.stderr)
    print(f"Send: {message}", file=sys.stderr)
    writer.write(data)
    await writer.drain()
    print("Close the client socket", file=sys.stderr)
    writer.close()


async def echo():
    server = await asyncio.start_server(handle_echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    work = globals()[sys.argv[1]]
    if sys.argv[1] == "echo":
        asyncio.run(work())
    else:
        start = perf_counter()
        work(int(sys.argv[2]))
        print(perf_counter() - start)

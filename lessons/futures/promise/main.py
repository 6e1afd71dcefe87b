"""A coroutine settles a future, and a callback shows what it holds."""
import asyncio


async def wait_here(seconds):
    await asyncio.sleep(seconds)
    return "Done."


async def work(promise):
    promise.set_result(await wait_here(0.05))


def finished(promise):
    print(promise.result())


async def main():
    promise = asyncio.get_running_loop().create_future()
    promise.add_done_callback(finished)
    print("done?", promise.done())
    task = asyncio.create_task(work(promise))
    await task
    await asyncio.sleep(0)  # callbacks run in the loop's next turn
    print("done?", promise.done())


asyncio.run(main())

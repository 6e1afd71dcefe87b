"""The callback hangs on the task itself, no other future is needed."""
import asyncio


async def make_tea():
    await asyncio.sleep(0.05)
    return "Done."


def finished(task):
    print(task.result())


async def main():
    task = asyncio.create_task(make_tea())
    task.add_done_callback(finished)
    print("main waits")
    await task


asyncio.run(main())

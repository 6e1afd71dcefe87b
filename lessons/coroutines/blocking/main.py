import asyncio
import time


async def sleeper():
    time.sleep(0.3)  # and not await asyncio.sleep(0.3)
    print("I have slept.")


async def ticker():
    for i in range(3):
        await asyncio.sleep(0.05)
        print("tick", i + 1)


async def main():
    await asyncio.gather(sleeper(), ticker())


asyncio.run(main())

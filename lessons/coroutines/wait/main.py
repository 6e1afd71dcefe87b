import asyncio


async def wait_here(seconds):
    await asyncio.sleep(seconds)
    return "Done."


async def show_me():
    result = await wait_here(0.2)
    print(result)


asyncio.run(show_me())

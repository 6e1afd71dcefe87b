"""The omelette on asyncio's event loop. A minute takes a quarter of a second."""
import asyncio

MINUTE = 0.25

loop = asyncio.new_event_loop()


def say(line):
    print(f"minute {int((loop.time() - begun) / MINUTE)}: {line}")


def cook():
    say("eggs: in the pan")
    loop.call_later(1 * MINUTE, say, "vegetables: cut")
    loop.call_later(2 * MINUTE, say, "vegetables: in the pan")
    loop.call_later(4 * MINUTE, done)


def done():
    say("omelette: done")
    loop.stop()


begun = loop.time()
loop.call_soon(cook)
loop.run_forever()
loop.close()

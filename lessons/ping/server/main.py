import asyncio

import aioping


async def boom(host):
    try:
        delay = await aioping.ping(host) * 1000
        return f"Ping response in {delay:.1f} ms."
    except TimeoutError:
        return "Ping timed out."
    except OSError as err:
        return f"Pinging {host} failed. {err}"


async def handle(reader, writer):
    host = (await reader.read(100)).decode().strip()
    writer.write((await boom(host) + "\n").encode())
    await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 8888)
    print(f"Serving on {server.sockets[0].getsockname()}.")
    async with server:
        await server.serve_forever()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("Closed.")

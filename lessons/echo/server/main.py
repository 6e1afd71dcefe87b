import asyncio


async def handle(reader, writer):
    data = await reader.read(100)
    peer = writer.get_extra_info("peername")
    print(f"Received {data!r} from {peer}")
    writer.write(data)
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

import asyncio
from urllib.parse import urlsplit


async def get(url):
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    path = parts.path or "/"
    request = f"GET {path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
    writer.write(request.encode("ascii"))
    answer = await reader.read()
    writer.close()
    return answer.decode("latin-1")


async def upper(text):
    return text.upper() + "\n"


ops = {"get": get, "upper": upper}


async def handle(reader, writer):
    line = (await reader.readline()).decode()
    name, _, arg = line.strip().partition(" ")
    try:
        answer = await ops[name](arg)
    except Exception as err:
        answer = f"error: {err}\n"
    writer.write(answer.encode())
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
    pass

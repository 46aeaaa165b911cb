"""In the kernel of a notebook, whose own loop is running and whose cell is a task of it."""

from __future__ import annotations

import pytest

nbclient = pytest.importorskip("nbclient", reason="needs the notebook extra")
nbformat = pytest.importorskip("nbformat", reason="needs the notebook extra")
pytest.importorskip("ipykernel", reason="needs the notebook extra")

CELLS = [
    """
import asyncio, socket, threading, time
from stack import Network
net = Network(seed=1)
client, server = net.host("client"), net.host("server")
net.link(client, server, delay="10 ms")

@server.program
async def echo():
    async def handle(reader, writer):
        writer.write(await reader.read(100))
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    await (await asyncio.start_server(handle, None, 7)).serve_forever()

@server.program
def blocking():
    with socket.create_server(("", 8)) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(connection.recv(100))
""",
    """
def ask(port):
    with socket.create_connection(("server", port)) as connection:
        connection.sendall(b"hello %d" % port)
        return connection.recv(100)

async def ask_async():
    reader, writer = await asyncio.open_connection("server", 7)
    writer.write(b"hello from a loop")
    answer = await reader.read(100)
    writer.close()
    await writer.wait_closed()
    return answer

with client:
    print(ask(7), ask(8), asyncio.run(ask_async()), threading.current_thread().name)
print(client.start(ask_async).result())
""",
    """
loop, task = asyncio.get_running_loop(), asyncio.current_task()
with client:
    print(ask(7))
await asyncio.sleep(0.001)
assert (loop, task) == (asyncio.get_running_loop(), asyncio.current_task())
print("awaited in the kernel's own loop")
""",
    """
try:
    with client:
        socket.create_server(("", 9)).accept()
except Exception as error:
    print(type(error).__name__, "server, program blocking: accept" in str(error))
net.close()
""",
]
PRINTED = [
    "",
    "b'hello 7' b'hello 8' b'hello from a loop' MainThread\nb'hello from a loop'\n",
    "b'hello 7'\nawaited in the kernel's own loop\n",
    "Deadlock True\n",
]


def test_all_three_ways_to_run_code_work_in_a_notebook() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=30, kernel_name="python3").execute()
    printed = ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]
    assert printed == PRINTED

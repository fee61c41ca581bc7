"""How a .4dgs file begins. Importing this module loads no large library."""

MAGIC = b"\x894DGS1\r\n"

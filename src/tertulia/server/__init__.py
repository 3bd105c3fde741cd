"""The WebSocket server that `tertulia serve` runs: uvicorn's, with a door for ready-made frames."""

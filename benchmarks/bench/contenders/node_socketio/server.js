// A room on Socket.IO: every connection joins it, every message is emitted to it, the sender
// included. WebSocket only, no compression (the default), no client files; the HTTP request of a
// connection is let go, as the documentation recommends for memory.
//
//     node server.js PORT
'use strict';

const { createServer } = require('node:http');
const { Server } = require('socket.io');

const http = createServer();
const io = new Server(http, {
  transports: ['websocket'],
  perMessageDeflate: false,
  serveClient: false,
});

io.engine.on('connection', (socket) => {
  socket.request = null;
});

io.on('connection', (socket) => {
  socket.join('lobby');
  socket.on('message', (text) => io.to('lobby').emit('message', text));
});

http.listen(Number(process.argv[2]), '127.0.0.1');

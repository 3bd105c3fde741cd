// A room on Node's `ws`: every message goes to every open client, the sender too, as the package's
// README does it ("Server broadcast"). permessage-deflate is off, which is the default.
//
//     node server.js PORT
'use strict';

const { WebSocket, WebSocketServer } = require('ws');

const port = Number(process.argv[2]);
const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false });

server.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data, isBinary) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    }
  });
});

/**
 * The load of servers over TLS, which smtp-source does not speak: `node tls-load.js --port P --messages N --size OCTETS
 * --connections C [--each]`, bare `node:tls` sockets that write canned commands. With `--each`, a connection for each message.
 */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';
import { pieces, RECIPIENT, SENDER } from '../clients/client-load.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    messages: { type: 'string', default: '1' },
    size: { type: 'string', default: '1024' },
    connections: { type: 'string', default: '1' },
    each: { type: 'boolean', default: false },
  },
});
const [port, messages, size, connections] = [
  values.port,
  values.messages,
  values.size,
  values.connections,
].map(Number) as [number, number, number, number];

let left = messages;

async function open(): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  socket.setNoDelay();
  await once(socket, 'data');
  await say(socket, 'EHLO client.example\r\n');
  return socket;
}

async function say(socket: TLSSocket, octets: string | Buffer): Promise<void> {
  const reply = once(socket, 'data');
  socket.write(octets);
  await reply;
}

async function send(socket: TLSSocket): Promise<void> {
  await say(socket, `MAIL FROM:<${SENDER}>\r\n`);
  await say(socket, `RCPT TO:<${RECIPIENT}>\r\n`);
  await say(socket, 'DATA\r\n');
  for await (const piece of pieces(size)) {
    if (!socket.write(piece)) await once(socket, 'drain');
  }
  await say(socket, '.\r\n');
}

async function close(socket: TLSSocket): Promise<void> {
  await say(socket, 'QUIT\r\n');
  socket.end();
  if (!socket.closed) await once(socket, 'close');
}

const begin = performance.now();
await Promise.all(
  Array.from({ length: connections }, async () => {
    let socket: TLSSocket | undefined;
    while (left > 0) {
      left -= 1;
      socket ??= await open();
      await send(socket);
      if (!values.each) continue;
      await close(socket);
      socket = undefined;
    }
    if (socket !== undefined) await close(socket);
  }),
);
console.log(JSON.stringify({ seconds: (performance.now() - begin) / 1000 }));

/**
 * The floor: canned replies over a bare `node:net` socket, or `node:tls` with the files of a certificate and its key, which is the best that Node can do. A command is known
 * by its first octet, and mail data is searched for its end, across chunks; nothing else is looked at.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

const OK = Buffer.from('250 2.0.0 OK\r\n');
const GO_AHEAD = Buffer.from('354 Go ahead\r\n');
const END = '\r\n.\r\n';

function serve(socket: Socket): void {
  let receiving = false;
  let tail = '';
  socket.on('error', () => socket.destroy());
  socket.write('220 floor ESMTP\r\n');
  socket.on('data', (chunk) => {
    if (receiving) {
      const across = tail + chunk.toString('latin1', 0, END.length);
      tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - END.length))).slice(1 - END.length);
      if (!chunk.includes(END) && !across.includes(END)) return;
      receiving = false;
      socket.write(OK);
    } else if (chunk[0] === 0x44) {
      receiving = true; // DATA
      tail = '';
      socket.write(GO_AHEAD);
    } else if (chunk[0] === 0x51) {
      socket.end(OK); // QUIT
    } else {
      socket.write(OK);
    }
  });
}

const [certificate, key] = process.argv.slice(2);
const isTls = certificate !== undefined && key !== undefined;
const server = isTls
  ? createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key), noDelay: true }, serve)
  : createServer({ noDelay: true }, serve);

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object')
    console.log(`listening ${isTls ? 'smtps' : 'smtp'} 127.0.0.1:${address.port}`);
});

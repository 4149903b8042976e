/**
 * The floor of clients: bare sockets that write canned commands, and go by nothing but that something was replied. One
 * write a command, as a client must where the server offers no PIPELINING; the message and its end in one.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { loadFromArguments, pieces, RECIPIENT, SENDER, sendAll, smallMessage } from './client-load.js';

const load = loadFromArguments();
const { host, port, size, connections } = load;

const COMMANDS = [`MAIL FROM:<${SENDER}>\r\n`, `RCPT TO:<${RECIPIENT}>\r\n`, 'DATA\r\n'].map((line) =>
  Buffer.from(line),
);
const END = Buffer.from('.\r\n');
const small = smallMessage(size);
const smallAndEnd = small && Buffer.concat([small, END]);

/** A connection, and how it is told that something came. */
interface Line {
  readonly socket: Socket;
  heard: () => void;
}

async function open(): Promise<Line> {
  const socket = connect({ host, port, noDelay: true });
  const line: Line = { socket, heard: () => {} };
  socket.on('data', () => line.heard());
  socket.on('error', (error) => {
    throw error;
  });
  await new Promise<void>((resolve) => {
    line.heard = resolve;
  });
  await say(line, Buffer.from('EHLO client.example\r\n'));
  return line;
}

function say(line: Line, octets: Buffer): Promise<void> {
  return new Promise((resolve) => {
    line.heard = resolve;
    line.socket.write(octets);
  });
}

/** Runs through the commands from one reply to the next, without a promise for each. */
function sendSmall(line: Line, message: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    let next = 0;
    const goOn = (): void => {
      const octets = next < COMMANDS.length ? COMMANDS[next] : next === COMMANDS.length ? message : undefined;
      next += 1;
      if (octets === undefined) resolve(true);
      else line.socket.write(octets);
    };
    line.heard = goOn;
    goOn();
  });
}

async function sendLarge(line: Line): Promise<boolean> {
  for (const command of COMMANDS) await say(line, command);
  for await (const piece of pieces(size)) {
    if (!line.socket.write(piece)) await once(line.socket, 'drain');
  }
  await say(line, END);
  return true;
}

const idle = await Promise.all(Array.from({ length: connections }, open));

await sendAll(load, async () => {
  const line = idle.pop();
  if (line === undefined) throw new Error('There are no more connections');
  const sent = await (smallAndEnd === undefined ? sendLarge(line) : sendSmall(line, smallAndEnd));
  idle.push(line);
  return sent;
});
for (const { socket } of idle) socket.destroy();

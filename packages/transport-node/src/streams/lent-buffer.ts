/**
 * One read buffer for all sockets that are accepted, in the clear or under TLS. By itself Node makes an array for each read,
 * of 64 KiB or as large as a record of TLS, and collects it late: for large messages that costs more than all else.
 *
 * - Node documents reading into a buffer of one's own (`onread`) for sockets that one makes, and not for accepted ones.
 *   Those have the same machinery, which is reached here: `canLend()` finds out whether it is there and does what is
 *   needed, over a connection of this process with itself, and `canLendTls()` the same under TLS. Where it does not, sockets
 *   are read by `data`, as ever.
 * - What is in the buffer is a socket's for the time of one call. Whoever is called copies what it keeps.
 * - A pause stops what comes from the system. Under TLS, the rest of what was decrypted before still comes.
 * - The buffer is never given up: Node knows its address only.
 */
import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';

/** As many octets as Node reads at once by itself. */
const BUFFER_OCTETS = 65_536;

const buffer = new Uint8Array(BUFFER_OCTETS);

/** Milliseconds after which a connection of this process with itself is given up. */
const PATIENCE = 1000;

/** What Node has in a socket for `onread`: the buffer, and whom to call with how many octets are in it. */
interface Places {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** Called by Node with how many octets are in the buffer; false would stop the reading. */
export type Lending = (this: Socket, length: number) => true;

/** What `lend` takes: made once for all sockets whose octets are received in the same way. */
export function lendingTo(received: (socket: Socket, bytes: Uint8Array) => void): Lending {
  return function (length) {
    received(this, buffer.subarray(0, length));
    return true;
  };
}

/**
 * Undefined where they are not as they are known here. On Windows the system may be given the buffer before there is anything
 * to read, and so several sockets' reads at a time: there nothing is lent.
 */
function findPlaces(): Places | undefined {
  if (process.platform === 'win32') return undefined;
  const symbols = Object.getOwnPropertySymbols(new Socket());
  const named = (name: string) => symbols.filter(({ description }) => description === name);
  const [ofBuffer, ...others] = named('kBuffer');
  const [ofCallback, ...more] = named('kBufferCb');
  if (ofBuffer === undefined || ofCallback === undefined || others.length + more.length > 0) return undefined;
  return { buffer: ofBuffer, callback: ofCallback };
}

/** What was found out to work: undefined until then, and where it does not. */
const found: { clear?: Places; tls?: Places } = {};

/**
 * From here on the octets of this socket come by `lending`, in the one buffer, and not by `data`; its end comes by `end`,
 * as ever, once it flows.
 * @returns false: nothing was changed, for octets are waiting to be read by `data`, or it cannot be
 */
export function lend(socket: Socket, lending: Lending): boolean {
  const places = socket instanceof TLSSocket ? found.tls : found.clear;
  return places !== undefined && begin(socket, lending, places);
}

function begin(socket: Socket, lending: Lending, places: Places): boolean {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return false;
  if (socket.destroyed || socket.readableLength > 0 || socket.readableEnded) return false;
  const useUserBuffer: unknown = Reflect.get(handle, 'useUserBuffer');
  if (typeof useUserBuffer !== 'function') return false;
  const inside = socket as unknown as Record<symbol, unknown>;
  inside[places.buffer] = buffer;
  inside[places.callback] = lending;
  useUserBuffer.call(handle, buffer);
  return true;
}

let probing: Promise<boolean> | undefined;
let probingTls: Promise<boolean> | undefined;

/** Whether `lend` works here for sockets in the clear: found out once. */
export function canLend(): Promise<boolean> {
  probing ??= probe(false);
  return probing;
}

/** Whether `lend` works here for those under TLS as well: found out once. */
export function canLendTls(): Promise<boolean> {
  probingTls ??= canLend().then((works) => works && probe(true));
  return probingTls;
}

/** Sends itself some octets, and looks whether they come as they should: in the buffer, not while paused, before the end. */
async function probe(isTls: boolean): Promise<boolean> {
  try {
    const places = findPlaces();
    if (places === undefined || !(await worksOver(isTls, places))) return false;
    found[isTls ? 'tls' : 'clear'] = places;
    return true;
  } catch {
    return false;
  }
}

async function worksOver(isTls: boolean, places: Places): Promise<boolean> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  const sockets: Socket[] = [];
  const own = <Some extends Socket>(socket: Some): Some => {
    sockets.push(socket.on('error', () => {}));
    return socket;
  };
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    await once(server, 'listening', { signal });
    const address = server.address();
    if (address === null || typeof address !== 'object') return false;
    const accepting = once(server, 'connection', { signal });
    const client = own(connect(address.port, '127.0.0.1'));
    const [accepted] = (await accepting) as [Socket];
    own(accepted);
    if (!isTls) return await works(client, accepted, places, signal);
    // A key that both have needs no certificate.
    const psk = new Uint8Array(16);
    const secureContext = createSecureContext({ ciphers: 'PSK', maxVersion: 'TLSv1.2' });
    const asServer = { isServer: true, secureContext, pskCallback: () => psk };
    const asClient = {
      socket: client,
      secureContext,
      pskCallback: () => ({ psk, identity: 'this process' }),
    };
    const secured = own(new TLSSocket(accepted, asServer));
    const clientSecured = own(connectTls({ ...asClient, checkServerIdentity: () => undefined }));
    await Promise.all([
      once(secured, 'secure', { signal }),
      once(clientSecured, 'secureConnect', { signal }),
    ]);
    return await works(clientSecured, secured, places, signal);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

async function works(client: Socket, socket: Socket, places: Places, signal: AbortSignal): Promise<boolean> {
  const heard: string[] = [];
  let isOdd = false;
  const arrival = () => once(socket, ARRIVED, { signal });
  const lending = lendingTo((_, bytes) => {
    if (bytes.buffer !== buffer.buffer || bytes.byteOffset !== 0 || socket.isPaused()) isOdd = true;
    heard.push(String.fromCharCode(...bytes));
    bytes.fill(0);
    socket.emit(ARRIVED);
    socket.pause();
  });
  if (!begin(socket, lending, places)) return false;
  socket.on('data', () => {
    isOdd = true;
  });
  const first = arrival();
  client.write('first');
  await first;
  // Paused by now: this must wait.
  client.write('second');
  await new Promise((resolve) => setImmediate(resolve));
  if (heard.join() !== 'first') return false;
  const second = arrival();
  socket.resume();
  await second;
  const third = arrival();
  socket.resume();
  client.end('third');
  await third;
  const end = once(socket, 'end', { signal });
  socket.resume();
  await end;
  return !isOdd && heard.join() === 'first,second,third';
}

const ARRIVED = Symbol('arrived');

/**
 * Connecting to a host by its name: its addresses race (RFC 8305 §5). They are begun in their order, IPv4 and IPv6 in turn,
 * the next one when the last begun has failed or takes long; the first socket that stands is the one, the others are
 * destroyed at once. Node's own `autoSelectFamily` gives each attempt up before it begins the next.
 */
import { type LookupAddress, lookup } from 'node:dns';
import type { Socket } from 'node:net';
import { systemClock } from '../system-clock.js';
import { systemCode } from '../system-error.js';

/** Milliseconds after which the next address is begun beside those that are under way (RFC 8305 §5). */
const ATTEMPT_DELAY = 250;

/** Told once: the socket, in the event by which it stands and without a listener of ours, or why there is none. */
type Done = (outcome: Socket | Error) => void;

/**
 * @param begin begins to connect to an address
 * @returns gives it all up; nobody is told of that
 */
export function raceToHost(host: string, begin: (address: string) => Socket, done: Done): () => void {
  let cancel = (): void => {
    isCancelled = true;
  };
  let isCancelled = false;
  lookup(host, { all: true }, (error, found) => {
    if (isCancelled) return;
    if (error !== null) done(error);
    else cancel = raceSockets(inTurn(found), begin, done);
  });
  return () => cancel();
}

/** The families in turn, the one first that the system has first, each in its order (RFC 8305 §4). */
export function inTurn(found: readonly LookupAddress[]): readonly string[] {
  const first = found.filter(({ family }) => family === found[0]?.family);
  const others = found.filter(({ family }) => family !== found[0]?.family);
  return found
    .flatMap((_, index) => [first[index], others[index]])
    .flatMap((each) => (each === undefined ? [] : [each.address]));
}

/** @param addresses one at least; otherwise as `raceToHost` */
export function raceSockets(
  addresses: readonly string[],
  begin: (address: string) => Socket,
  done: Done,
): () => void {
  const left = [...addresses];
  const running = new Set<Socket>();
  const errors: Error[] = [];
  let cancelTimer = (): void => {};

  const cancel = (): void => {
    cancelTimer();
    for (const socket of running) socket.destroy();
    running.clear();
  };
  const next = (): void => {
    cancelTimer();
    const address = left.shift();
    if (address === undefined) return;
    if (left.length > 0) cancelTimer = systemClock.set(systemClock.now() + ATTEMPT_DELAY, next);
    const socket = begin(address);
    running.add(socket);
    const onConnect = (): void => {
      running.delete(socket);
      socket.off('error', onError);
      cancel();
      done(socket);
    };
    const onError = (error: Error): void => {
      // One that was given up has nothing to say any more.
      if (!running.delete(socket)) return;
      socket.off('connect', onConnect);
      errors.push(error);
      if (left.length > 0) next();
      else if (running.size === 0) done(errorOf(errors));
    };
    socket.once('connect', onConnect);
    socket.on('error', onError);
  };
  next();
  return cancel;
}

function errorOf(errors: readonly Error[]): Error {
  const [first, ...others] = errors;
  if (first === undefined || others.length > 0) {
    return Object.assign(new AggregateError(errors), { code: systemCode(errors.at(-1)) });
  }
  return first;
}

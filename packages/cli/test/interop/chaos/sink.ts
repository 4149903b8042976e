/**
 * A host that mail goes on to, and that does at random what hosts do at worst: greets by 421, refuses for now, stalls, and drops the
 * connection amid a message, or after its end, whether it has taken it or not. It speaks SMTP by hand, for no library of ours may
 * judge another. Once it is calm it takes all but those who are refused for good.
 */
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Dice } from './dice.js';

export interface Sink {
  readonly port: number;
  /** How often it has done what. */
  readonly done: ReadonlyMap<string, number>;
  /** From now on it is an ordinary host. */
  calmDown(): void;
}

/** What it has taken: whom for, and the message. */
export type OnTaken = (recipients: readonly string[], message: string) => void;

/** Milliseconds of a stall. */
const SHORTEST_STALL = 500;
const LONGEST_STALL = 5000;

const AT_GREETING = { greet: 30, refuse: 2 };
const AT_RECIPIENT = { take: 15, deferRecipient: 1 };
const AT_DATA = { take: 20, dropAmid: 1, stallAmid: 1 };
const AT_END = {
  take: 30,
  deferMessage: 2,
  takeAndDrop: 2,
  dropUntaken: 2,
  takeAndStall: 2,
  takeStallAndDrop: 1,
};

export const isRefused = (recipient: string): boolean => recipient.startsWith('refused-');

export async function startSink(dice: Dice, onTaken: OnTaken): Promise<Sink> {
  const done = new Map<string, number>();
  const sockets = new Set<Socket>();
  let isCalm = false;
  // There is at least one duplicate to be explained.
  let isFirstEnd = true;
  const choose = <Name extends string>(
    ordinary: NoInfer<Name>,
    weights: Readonly<Record<Name, number>>,
  ): Name => {
    const chosen = isCalm ? ordinary : dice.pick(weights);
    done.set(chosen, (done.get(chosen) ?? 0) + 1);
    return chosen;
  };
  const stalled = () =>
    new Promise((resolve) => setTimeout(resolve, dice.between(SHORTEST_STALL, LONGEST_STALL)));

  async function serve(socket: Socket): Promise<void> {
    const say = (line: string) => socket.write(`${line}\r\n`);
    if (choose('greet', AT_GREETING) === 'refuse') return void socket.end('421 4.3.2 not now\r\n');
    say('220 sink.example ESMTP');
    let recipients: string[] = [];
    let message: string[] | undefined;
    for await (const line of linesOf(socket)) {
      if (message !== undefined) {
        if (line !== '.') {
          message.push(line);
          continue;
        }
        const text = message.join('\r\n');
        message = undefined;
        const chosen = isFirstEnd ? 'takeAndDrop' : choose('take', AT_END);
        isFirstEnd = false;
        if (/^take/.test(chosen)) onTaken(recipients, text);
        recipients = [];
        if (/stall/i.test(chosen)) await stalled();
        if (/drop/i.test(chosen)) return void socket.destroy();
        say(chosen === 'deferMessage' ? '451 4.3.0 later' : '250 2.0.0 taken');
        continue;
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'EHLO')
        say('250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES');
      else if (verb === 'RCPT') {
        const recipient = /<(.*)>/.exec(line)?.[1] ?? '';
        if (isRefused(recipient)) say('550 5.1.1 nobody of this name');
        else if (choose('take', AT_RECIPIENT) === 'deferRecipient') say('450 4.2.0 later');
        else {
          recipients.push(recipient);
          say('250 2.1.5 ok');
        }
      } else if (verb === 'DATA') {
        if (recipients.length === 0) {
          say('503 5.5.1 no recipients');
          continue;
        }
        const chosen = choose('take', AT_DATA);
        say('354 go on');
        if (chosen === 'dropAmid') return void socket.destroy();
        if (chosen === 'stallAmid') await stalled();
        message = [];
      } else if (verb === 'QUIT') return void socket.end('221 2.0.0 bye\r\n');
      else {
        recipients = [];
        say('250 2.0.0 ok');
      }
    }
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    // A connection that breaks ends it as well.
    serve(socket).catch(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    done,
    calmDown() {
      isCalm = true;
    },
  };
}

/** Without their ends. What is left when the connection ends is no line. */
async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = '';
  for await (const bytes of socket) {
    const lines = `${rest}${(bytes as Buffer).toString('latin1')}`.split('\r\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

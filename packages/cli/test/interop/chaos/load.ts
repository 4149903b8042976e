/**
 * Clients that send without end, each message to recipients of its own, and record what was answered 250. A connection that
 * breaks tells nothing of the message under way: it may arrive or not, and its client goes on with the next.
 *
 * Postfix's smtp-source ends with the first connection that it loses, and does not say which messages were answered 250.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Dice } from './dice.js';

export interface Load {
  /** Recipients of the messages that were answered 250. */
  readonly accepted: ReadonlySet<string>;
  /** Messages that were. */
  readonly messages: number;
  /** Messages that nobody knows of whether they were accepted, or that were refused for now. */
  readonly unanswered: number;
  /** Resolves when all clients have ended. */
  stop(): Promise<void>;
}

const DOMAINS = ['one.example', 'two.example'];

/** Milliseconds until a client tries again that could not connect. */
const PAUSE = 100;

/** Octets of most messages, and of a few. */
const SMALL = 1000;
const LARGE = 200_000;

/**
 * @param clients to each relay
 * @param mayGoOn false: all wait, for the sinks have to catch up
 */
export function startLoad(
  ports: readonly number[],
  clients: number,
  dice: Dice,
  mayGoOn: (accepted: number) => boolean,
): Load {
  const accepted = new Set<string>();
  let [next, messages, unanswered] = [0, 0, 0];
  let isOver = false;
  const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

  async function session(socket: Socket): Promise<void> {
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const ask = async (text: string): Promise<string> => {
      if (text !== '') socket.write(text);
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error('The connection has ended');
        if (value[3] !== '-') return value;
      }
    };
    await ask('');
    await ask('EHLO load.example\r\n');
    while (!isOver) {
      if (!mayGoOn(accepted.size)) {
        await pause();
        continue;
      }
      const number = next++;
      const recipients = Array.from({ length: dice.between(1, 3) }, (_, place) => {
        const kind = place === 0 && number % 8 === 0 ? 'refused' : 'taken';
        return `${kind}-${number}-${place}@${DOMAINS[dice.between(0, 1)]}`;
      });
      const size = dice.pick({ small: 40, large: 1 }) === 'small' ? SMALL : LARGE;
      let answer = '';
      try {
        await ask(`MAIL FROM:<sender-${number}@home.example>\r\n`);
        for (const recipient of recipients) await ask(`RCPT TO:<${recipient}>\r\n`);
        await ask('DATA\r\n');
        answer = await ask(`Subject: ${number}\r\n\r\n${`${'x'.repeat(98)}\r\n`.repeat(size / 100)}.\r\n`);
      } finally {
        if (answer.startsWith('250')) {
          messages++;
          for (const recipient of recipients) accepted.add(recipient);
        } else unanswered++;
      }
    }
    socket.end('QUIT\r\n');
  }

  const running = ports.flatMap((port) =>
    Array.from({ length: clients }, async () => {
      while (!isOver) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        const closed = new Promise((resolve) => socket.on('close', resolve));
        try {
          await once(socket, 'connect');
          await session(socket);
        } catch {
          socket.destroy();
          await pause();
        }
        socket.destroy();
        await closed;
      }
    }),
  );
  return {
    accepted,
    get messages() {
      return messages;
    },
    get unanswered() {
      return unanswered;
    },
    async stop() {
      isOver = true;
      await Promise.all(running);
    },
  };
}

import type { Verdict } from '@sansmtp/core';
import {
  type ClientConnection,
  type OpenSessionOptions,
  openSession,
  Rejection,
  serveSession,
} from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMemoryPair,
  createVirtualClock,
  type MemoryPairOptions,
  type VirtualClock,
} from '../src/index.js';
import { envelopeFor } from './connecting.js';
import { CountedStream, octetsOf, settle, textOf } from './peer.js';
import { ScriptedServer } from './scripted-server.js';
import { separated } from './separated.js';
import { read } from './serving.js';

/** A recipient's name says what becomes of it. */
const codeFor = (name: string) => /^code(\d+)/.exec(name)?.[1];

interface Message {
  readonly recipients: readonly string[];
  /** The body, as it is handed in. */
  readonly pieces: readonly string[];
}

interface Outcome {
  /** For each message that was sent. */
  readonly verdicts: readonly (readonly Verdict[])[];
  /** Messages that the server's application accepted, in order. */
  readonly accepted: readonly string[];
  readonly wire: { readonly sent: string; readonly received: string };
}

/** Ends its side behind so many octets, as a server that stops in good order. */
class EndingStream extends CountedStream {
  left = Number.POSITIVE_INFINITY;

  override write(bytes: Uint8Array): boolean {
    const part = bytes.subarray(0, this.left);
    this.left -= part.length;
    const more = super.write(part);
    if (this.left === 0) this.end();
    return more;
  }
}

type Server = 'driver' | 'scripted, PIPELINING' | 'scripted, no PIPELINING';

interface Talk extends Omit<MemoryPairOptions, 'clock'> {
  readonly server?: Server;
  /** Handlers answer by promises. */
  readonly late?: boolean;
  /** The server ends its side behind so many octets. */
  readonly endAfter?: number;
  readonly client?: Partial<OpenSessionOptions>;
}

/** A whole session on virtual time: opens, sends the messages, quits. Fails if it stands still. */
async function talk(messages: readonly Message[], options: Talk = {}): Promise<Outcome> {
  const clock = createVirtualClock({ settle });
  const [near, far] = createMemoryPair({ ...separated(options).pair, clock });
  const accepted: string[] = [];
  const closings: unknown[] = [];
  const stream = new EndingStream(far);
  if (options.endAfter !== undefined) stream.left = options.endAfter;
  if (options.endAfter === 0) stream.end();
  if ((options.server ?? 'driver') === 'driver') {
    serveSession(
      stream,
      {
        async onMessage({ body }) {
          accepted.push(await read(body));
        },
        onRcptTo({ forwardPath }) {
          const code = codeFor(forwardPath.localPart);
          if (code !== undefined) throw new Rejection(Number(code), undefined, 'So it is');
        },
        ...(options.late && { onConnect: turn, onHello: turn, onMailFrom: turn, onData: turn }),
        onClose: (_, reason) => void closings.push(reason),
      },
      { clock, hostname: 'mx.example', maximumTextLineLength: Number.POSITIVE_INFINITY },
    );
  } else scripted(stream, options.server === 'scripted, PIPELINING', accepted, closings);

  const wire = { sent: '', received: '' };
  const verdicts: (readonly Verdict[])[] = [];
  const session = (async () => {
    const client = await openSession(near, {
      ...options.client,
      clock,
      hostname: 'c.example',
      onWire(direction, bytes) {
        wire[direction] += textOf(bytes);
      },
    });
    try {
      await sendAll(client, messages, verdicts);
    } finally {
      await client.quit();
    }
  })();
  session.catch(() => {}); // it may be lost at any time; what is known then was noted
  await finish(clock, session, () => closings.length > 0);
  expect(closings).toHaveLength(1);
  expect(clock.pending).toBe(0);
  return { verdicts, accepted, wire };
}

const turn = async () => {};

async function sendAll(
  client: ClientConnection,
  messages: readonly Message[],
  verdicts: (readonly Verdict[])[],
) {
  for (const { recipients, pieces } of messages) {
    const body = (async function* () {
      for (const piece of pieces) yield octetsOf(piece);
    })();
    verdicts.push(await client.send(envelopeFor(...recipients), body));
  }
}

/** Lets time pass until both ends are done. The bound is what a deadlock would exceed. */
async function finish(clock: VirtualClock, session: Promise<void>, isClosed: () => boolean): Promise<void> {
  let done = false;
  const note = () => {
    done = true;
  };
  session.then(note, note);
  for (let step = 0; step < 2_000; step++) {
    await clock.advanceAsync(10);
    if (done && isClosed()) return;
  }
  throw new Error('The session stands still');
}

/** The same server by hand: it answers each line for itself. */
function scripted(stream: CountedStream, pipelining: boolean, accepted: string[], closings: unknown[]): void {
  let recipients = 0;
  const server = new ScriptedServer(stream, {
    keywords: pipelining ? ['PIPELINING'] : [],
    reply(command) {
      if (command.startsWith('MAIL')) recipients = 0;
      if (command.startsWith('RCPT')) {
        const code = codeFor(command.slice('RCPT TO:<'.length));
        if (code !== undefined) return `${code} So it is`;
        recipients++;
      }
      if (command === 'DATA' && recipients === 0) return '554 No valid recipients';
      if (command === '.') accepted.push((server.messages.at(-1) ?? '').replace(/(^|\r\n)\.\./g, '$1.'));
      return undefined;
    },
  });
  server.close = () => void closings.push(undefined);
}

describe('a connection that ends at any octet', () => {
  const messages: Message[] = [
    { recipients: ['a', 'code550', 'b'], pieces: ['Subject: one\r\n', '\r\n.\r\n', 'text\r\n'] },
    { recipients: ['a', 'code550', 'b'], pieces: ['Subject: two\r\n\r\n'] },
  ];
  const whole = ['Subject: one\r\n\r\n.\r\ntext\r\n', 'Subject: two\r\n\r\n'];
  const FINAL_DOT = '\r\n.\r\n';

  /** Where in the octets each of these ends. */
  const ends = (octets: string, text: string) =>
    [...octets.matchAll(new RegExp(text.replace(/[.<>;]/g, '\\$&'), 'g'))].map(
      ({ index }) => index + text.length,
    );

  it.each<[string, (octets: number) => Talk]>([
    ['lost', (octets) => ({ dropAfter: { second: octets } })],
    ['lost, octet by octet', (octets) => ({ dropAfter: { second: octets }, chunkSize: 1 })],
    ['ended by the server in good order', (octets) => ({ endAfter: octets })],
  ])('of the server (%s) leaves the verdicts that RFC 1047 asks for', async (_, cut) => {
    const { received } = (await talk(messages)).wire;
    const refused = ends(received, '550 5.0.0 So it is\r\n');
    const wanted = ends(received, '354 Send the message; end it with <CRLF>.<CRLF>\r\n');
    const taken = ends(received, '250 2.0.0 Message accepted\r\n');
    // Where the session becomes ready for each message.
    const ready = [...ends(received, '250 HELP\r\n'), ...taken];

    for (let octets = 0; octets <= received.length; octets++) {
      const { verdicts, wire, accepted } = await talk(messages, cut(octets));
      const at = `behind ${octets} octets: ${JSON.stringify(received.slice(0, octets).slice(-20))}`;
      const dots = ends(wire.sent, FINAL_DOT).length;
      const behind = (places: readonly number[], index: number) => octets >= (places[index] ?? 0);
      const expected = messages.map((_, index) => {
        const others = behind(taken, index) ? 'delivered' : dots > index ? 'unknown' : 'deferred';
        return [others, behind(refused, index) ? 'rejected' : 'deferred', others];
      });
      expect(
        verdicts.map((all) => all.map(({ verdict }) => verdict)),
        at,
      ).toEqual(expected.slice(0, verdicts.length));
      // Right where it became ready, either comes first: the next message, or the end of the session, which then throws.
      const readyFor = messages.map((_, index) => ready[index] ?? 0);
      expect(verdicts.length, at).toBeGreaterThanOrEqual(readyFor.filter((place) => octets > place).length);
      expect(verdicts.length, at).toBeLessThanOrEqual(readyFor.filter((place) => octets >= place).length);
      // Right behind a 354 the connection ends before the body has begun.
      expect(dots, at).toBe(wanted.filter((place) => octets > place).length);
      // Nothing is lost that was acknowledged, and nothing else is taken but what is `unknown`.
      const delivered = taken.filter((place) => octets >= place).length;
      expect(accepted, at).toEqual(whole.slice(0, accepted.length));
      expect(accepted.length, at).toBeGreaterThanOrEqual(delivered);
      expect(accepted.length, at).toBeLessThanOrEqual(dots);
    }
  });

  it.each<[string, Talk]>([
    ['as it comes', {}],
    ['octet by octet', { chunkSize: 1, bufferSize: 1 }],
  ])('of the client (%s) never leaves a part of a message with the server', async (_, network) => {
    const { sent } = (await talk(messages)).wire;
    const dots = ends(sent, FINAL_DOT);
    for (let octets = 0; octets <= sent.length; octets++) {
      const { verdicts, accepted } = await talk(messages, { ...network, dropAfter: { first: octets } });
      const at = `behind ${octets} octets`;
      expect(accepted, at).toEqual(whole.slice(0, accepted.length));
      expect(accepted.length, at).toBeLessThanOrEqual(dots.filter((place) => octets >= place).length);
      verdicts.forEach(([first], index) => {
        if (first?.verdict === 'delivered') expect(accepted.length, at).toBeGreaterThan(index);
        if (first?.verdict === 'deferred') expect(accepted.length, at).toBeLessThanOrEqual(index);
      });
    }
  });
});

describe('any messages over any network', () => {
  const recipients = fc.array(fc.constantFrom('a', 'b', 'c', 'code550', 'code450', 'code552'), {
    minLength: 1,
    maxLength: 6,
  });
  const pieces = fc.array(
    fc
      .array(fc.constantFrom('a', '.', '..', '\r\n', '\n', '\xff', '\r\n.\r\n', 'QUIT\r\n', 'x'.repeat(80)))
      .map((parts) => parts.join('')),
    { maxLength: 6 },
  );
  const messages: fc.Arbitrary<Message[]> = fc.array(fc.record({ recipients, pieces }), {
    minLength: 1,
    maxLength: 3,
  });
  const network = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
    latency: fc.constantFrom(0, 1, 10, 35),
    bufferSize: fc.constantFrom(1, 2, 7, 100, 65_536),
    maximumOctetsInFlight: fc.constantFrom(1, 20, 100, 4096),
    late: fc.boolean(),
  });

  /** What RFC 5321 makes of the messages, whatever the network. */
  function expected(given: readonly Message[]) {
    const reached = given.map(({ recipients }) => recipients.some((name) => codeFor(name) === undefined));
    return {
      verdicts: given.map(({ recipients }) =>
        recipients.map((name) => {
          const code = codeFor(name);
          if (code === undefined) return 'delivered 250';
          return `${code === '550' ? 'rejected' : 'deferred'} ${code}`;
        }),
      ),
      accepted: given
        .filter((_, index) => reached[index])
        .map(({ pieces }) => {
          const text = pieces.join('').replace(/\r?\n/g, '\r\n');
          return text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
        }),
    };
  }

  const summary = ({ verdicts, accepted }: Outcome) => ({
    verdicts: verdicts.map((all) =>
      all.map((verdict) => `${verdict.verdict} ${verdict.reply?.code ?? verdict.failure?.kind}`),
    ),
    accepted,
  });

  it.each<Server>(['driver', 'scripted, PIPELINING', 'scripted, no PIPELINING'])(
    'arrive equal to the octet, with the same verdicts, in bounded time (server: %s)',
    async (server) => {
      await fc.assert(
        fc.asyncProperty(
          messages,
          network,
          async (given, { sizes, late, maximumOctetsInFlight, ...rest }) => {
            let turns = 0;
            const chunkSize = () => sizes[turns++ % sizes.length] ?? 1;
            const outcome = await talk(given, {
              ...rest,
              server,
              late,
              chunkSize,
              client: { maximumOctetsInFlight },
            });
            expect(summary(outcome)).toEqual(expected(given));
          },
        ),
        { numRuns: 100 },
      );
    },
  );
});

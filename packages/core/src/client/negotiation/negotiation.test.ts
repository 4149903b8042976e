/**
 * All that is negotiated before `ready`, against a server of any whim: what holds whatever it does.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientSessionOptions } from '../contract/options.js';
import { Dialogue, type Shown, TLS, withPassword, written } from '../dialogue.test-support.js';

/** What the server does when a reply is due. */
type Whim = 'accept' | 421 | 450 | 502 | 550 | 'challenge' | 'garbage' | 'surplus' | 'silence' | 'close';

interface Plot {
  readonly options: ClientSessionOptions;
  /** What the server offers in reply to each EHLO. */
  readonly offers: readonly (readonly string[])[];
  readonly whims: readonly Whim[];
  readonly handshakeFails: boolean;
}

const keywords = [
  ...['STARTTLS', 'AUTH PLAIN', 'AUTH LOGIN', 'AUTH SCRAM-SHA-256-PLUS'],
  ...['XCLIENT NAME', 'XFORWARD NAME', 'PIPELINING'],
];
const { authentication } = withPassword();
const attributes = { name: 'x.example' };

const plots: fc.Arbitrary<Plot> = fc.record({
  options: fc
    .record({
      protocol: fc.constantFrom('smtp' as const, 'lmtp' as const),
      startTls: fc.constantFrom('never' as const, 'opportunistic' as const, 'required' as const),
      authentication: fc.option(fc.boolean().map((allowInsecure) => ({ ...authentication, allowInsecure }))),
      tls: fc.option(fc.constant(TLS), { freq: 4 }),
      xclient: fc.option(fc.constant(attributes)),
      xforward: fc.option(fc.constant(attributes)),
    })
    .map(
      (all) =>
        Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as ClientSessionOptions,
    ),
  offers: fc.array(fc.subarray(keywords, { minLength: 3 }), { minLength: 3, maxLength: 3 }),
  whims: fc.array(
    fc.oneof(
      { weight: 20, arbitrary: fc.constant<Whim>('accept') },
      { weight: 3, arbitrary: fc.constantFrom<Whim>(450, 502, 550) },
      {
        weight: 2,
        arbitrary: fc.constantFrom<Whim>(421, 'challenge', 'garbage', 'surplus', 'silence', 'close'),
      },
    ),
    { maxLength: 12 },
  ),
  handshakeFails: fc.nat({ max: 9 }).map((roll) => roll === 0),
});

/** What the server does in the dialogue, in the order of the lines that the client sent. */
class Server {
  readonly #plot: Plot;
  #hellos = 0;
  #replies = 0;
  /** Responses that LOGIN still wants. */
  #awaited = 0;

  constructor(plot: Plot) {
    this.#plot = plot;
  }

  /** @returns undefined for the end of the connection */
  reply(line: string): string | undefined {
    const whim = this.#plot.whims[this.#replies++] ?? 'accept';
    const accept = this.#accept(line);
    switch (whim) {
      case 'accept':
        return accept;
      case 'challenge':
        return '334 QQ==\r\n';
      case 'garbage':
        return 'garbage\r\n';
      case 'surplus':
        return `${accept}250 and more\r\n`;
      case 'silence':
        return '';
      case 'close':
        return undefined;
      default:
        return `${whim} No\r\n`;
    }
  }

  #accept(line: string): string {
    const [verb, second] = line.split(' ');
    switch (verb) {
      case 'EHLO':
      case 'LHLO': {
        const lines = ['b.example', ...(this.#plot.offers[this.#hellos++] ?? [])];
        return lines.map((text, index) => `250${index === lines.length - 1 ? ' ' : '-'}${text}\r\n`).join('');
      }
      case 'AUTH':
        this.#awaited = second === 'LOGIN' ? 2 : 0;
        return second === 'LOGIN' ? '334 VXNlcm5hbWU6\r\n' : '235 OK\r\n';
      case '':
      case 'STARTTLS':
      case 'XCLIENT':
        return '220 b.example\r\n';
      case 'HELO':
      case 'XFORWARD':
        return '250 OK\r\n';
      case 'QUIT':
        return '221 Bye\r\n';
      case '*':
        return '501 Cancelled\r\n';
      default:
        this.#awaited -= 1;
        return this.#awaited > 0 ? '334 UGFzc3dvcmQ6\r\n' : '235 OK\r\n';
    }
  }
}

/** Lets a client talk to a server until the session is open or over. */
function converse(plot: Plot, cut: (text: string) => readonly string[]): readonly Shown[] {
  const client = new Dialogue(plot.options);
  const server = new Server(plot);
  const all: Shown[] = [];
  let said = server.reply('');
  let read = 0;
  while (!['session.ready', 'closed'].includes(client.session.state)) {
    if (said === undefined) all.push(...client.handle({ type: 'eof' }));
    else if (client.session.state === 'session.securing') {
      // What came in one chunk with the reply to STARTTLS has been handed in: the handshake takes longer.
      const { handshakeFails } = plot;
      all.push(
        ...client.handle(handshakeFails ? { type: 'tlsFailed' } : { type: 'tlsEstablished', tls: TLS }),
      );
    } else if (said === '') all.push(...client.timeout());
    else for (const chunk of cut(said)) all.push(...client.octets(chunk));
    const lines = written(all).split('\r\n').slice(0, -1);
    said = '';
    for (; read < lines.length && said !== undefined; read++) {
      const reply = server.reply(lines[read] ?? '');
      said = reply === undefined ? undefined : said + reply;
    }
  }
  return all;
}

const whole = (text: string): readonly string[] => [text];
const typeOf = (output: Shown): string => (typeof output === 'string' ? 'write' : output.type);

describe('whatever the server does before `ready`', () => {
  it('the session is opened once or fails once', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(plots, (plot) => {
        const outputs = converse(plot, whole);
        const count = (type: string) => outputs.filter((output) => typeOf(output) === type).length;
        // A reply that nobody asked for may end a session that is open.
        expect([
          [1, 0, 0],
          [0, 1, 1],
          [1, 1, 1],
        ]).toContainEqual([count('ready'), count('failed'), count('closed')]);
        for (const output of outputs) {
          if (typeof output !== 'string' && output.type === 'failed') reached.add(output.failure.kind);
        }
      }),
      { numRuns: 1500 },
    );
    // `authentication` is too rare among plots to be met each time.
    const kinds = ['lost', 'notOffered', 'protocol', 'refused', 'timeout', 'tls', 'withheld'];
    expect([...reached]).toEqual(expect.arrayContaining(kinds));
  });

  it('nothing is sent but what was offered behind the last EHLO, and each once at most', () => {
    fc.assert(
      fc.property(plots, (plot) => {
        let offer: readonly string[] = [];
        let hellos = 0;
        const sent: string[] = [];
        for (const output of converse(plot, whole)) {
          if (typeof output !== 'string') continue;
          const [verb = '', second = ''] = output.split(/[ \r]/);
          if (verb === 'EHLO' || verb === 'LHLO') offer = plot.offers[hellos++] ?? [];
          if (verb === 'HELO') offer = [];
          if (!['STARTTLS', 'AUTH', 'XCLIENT', 'XFORWARD'].includes(verb)) continue;
          sent.push(verb);
          const needed = verb === 'AUTH' ? `AUTH ${second}` : verb;
          // Of two lines of one keyword the first counts.
          expect(offer.find((line) => line.startsWith(verb))?.startsWith(needed)).toBe(true);
        }
        expect(new Set(sent).size).toBe(sent.length);
      }),
      { numRuns: 1000 },
    );
  });

  it('no credentials are shown without TLS unless that is allowed, and nothing where TLS is required', () => {
    fc.assert(
      fc.property(plots, (plot) => {
        let secured = plot.options.tls !== undefined;
        for (const output of converse(plot, whole)) {
          if (typeof output !== 'string') {
            secured ||= output.type === 'upgradeTls';
            continue;
          }
          if (secured) continue;
          const allowed = plot.options.authentication?.allowInsecure;
          if (!allowed) expect(output).not.toMatch(/^AUTH/);
          if (plot.options.startTls === 'required')
            expect(output).toMatch(/^(?:EHLO|LHLO|HELO|STARTTLS|QUIT)\b/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('the outputs do not depend on how its octets were cut, but for plaintext behind STARTTLS', () => {
    fc.assert(
      fc.property(plots, fc.integer({ min: 1, max: 20 }), (plot, length) => {
        const pieces = (text: string) => text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [];
        const outputs = converse(plot, whole);
        const injected = outputs.some(
          (output) =>
            typeof output !== 'string' &&
            output.type === 'failed' &&
            output.failure.kind === 'protocol' &&
            output.failure.phase === 'startTls',
        );
        for (const cut of [pieces, (text: string) => [...text]]) {
          const others = converse(plot, cut);
          expect(injected ? others.filter((output) => typeOf(output) !== 'upgradeTls') : others).toEqual(
            outputs,
          );
        }
      }),
      { numRuns: 500 },
    );
  });
});

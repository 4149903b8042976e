/** Makes a new story of one that is known. All randomness is a seed's. */
import { clientModes } from './client-target.js';
import { serverModes } from './server-target.js';
import { type End, HOSTS, host, type Move, octetsOf, type Story, textOf } from './story.js';
import { movesOf, waysOf } from './ways.js';

export type Random = (below: number) => number;

/** xorshift32 */
export function randomOf(seed: number): Random {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export const modesOf = (end: End): readonly string[] =>
  Object.keys(end === 'server' ? serverModes : clientModes).filter((mode) => !mode.startsWith('patient'));

/** Octets that mean something at one end, or meant something elsewhere. */
const words: Readonly<Record<End, readonly string[]>> = {
  server: [
    ...[
      'EHLO ',
      'HELO ',
      'LHLO ',
      'MAIL FROM:',
      'RCPT TO:',
      'DATA',
      'BDAT ',
      'RSET',
      'NOOP',
      'VRFY ',
      'EXPN ',
      'HELP',
      'QUIT',
    ],
    ...[
      'STARTTLS',
      'AUTH ',
      'ETRN ',
      'XCLIENT ',
      'XFORWARD ',
      'XVERB',
      'GET / HTTP/1.1',
      '\x16\x03\x01\x02\0\x01',
    ],
    ...[
      '<a@b>',
      '<>',
      '<@a,@b:c@d>',
      '<"a\\"b"@c>',
      '<a@[127.0.0.1]>',
      '<a@[IPv6:::1]>',
      '<postmaster>',
      '@',
      ':',
      '"',
      '\\',
    ],
    ...[
      ' SIZE=',
      ' BODY=8BITMIME',
      ' BODY=BINARYMIME',
      ' SMTPUTF8',
      ' RET=FULL',
      ' ENVID=',
      ' NOTIFY=SUCCESS,DELAY',
    ],
    ...[
      ' ORCPT=rfc822;',
      ' AUTH=<>',
      ' BY=1;R',
      ' HOLDFOR=1',
      ' HOLDUNTIL=2030-01-01T00:00:00Z',
      ' MT-PRIORITY=-3',
    ],
    ...[
      ' REQUIRETLS',
      ' RRVS=2014-04-03T23:01:00Z',
      ' SOLICIT=com.example:ads',
      ' X=1',
      ' =',
      'ADDR=',
      'NAME=',
      'LOGIN=',
    ],
    ...[
      'PLAIN',
      'LOGIN',
      'CRAM-MD5',
      'SCRAM-SHA-256',
      'OAUTHBEARER',
      'XOAUTH2',
      'biwsbj11LHI9eA==',
      'AHUAcA==',
      '=',
      '*',
    ],
    ...[
      '\r\n.\r\n',
      '\n.\n',
      '\r.\r',
      '\n.\r\n',
      '..',
      '+2B',
      '+',
      ' LAST',
      '0',
      '1',
      '9999999999999999999',
      '18446744073709551616',
    ],
  ],
  client: [
    ...[
      '220 ',
      '221 ',
      '235 ',
      '250 ',
      '250-',
      '334 ',
      '354 ',
      '421 ',
      '450 ',
      '454 ',
      '500 ',
      '530 ',
      '535 ',
      '552 ',
      '550-',
    ],
    ...[
      '2.1.0 ',
      '4.7.0 ',
      '5.7.8 ',
      '9.9.9 ',
      'PIPELINING',
      'SIZE ',
      'STARTTLS',
      'AUTH ',
      'AUTH=',
      'CHUNKING',
      'BINARYMIME',
    ],
    ...[
      '8BITMIME',
      'SMTPUTF8',
      'DSN',
      'LIMITS RCPTMAX=',
      'LIMITS MAILMAX=1 RCPTDOMAINMAX=1',
      'XCLIENT NAME ADDR PORT',
    ],
    ...[
      'XFORWARD NAME SOURCE',
      'SCRAM-SHA-256',
      'SCRAM-SHA-256-PLUS',
      'PLAIN',
      'LOGIN',
      'CRAM-MD5',
      'XOAUTH2',
      'OAUTHBEARER',
    ],
    ...[
      'cj14LHM9YWJjZCxpPTQwOTY=',
      'dj1hYmM=',
      'eyJzdGF0dXMiOiI0MDEifQ==',
      '=',
      '=20',
      '\x16\x03\x01',
      '\0',
      '+',
      '1',
      '999999999999',
    ],
  ],
};

const ENDINGS = ['\r\n', '\r\n', '\n', '\r', '\r\r\n', '\0', '\t', ' ', '\xff', '\xc3\xa9', ''];

const hostActs: Readonly<Record<End, readonly string[]>> = {
  server: [
    ...[
      'accept',
      'reject',
      'reject by 421',
      'compute',
      'compute nothing',
      'tlsEstablished',
      'tlsFailed',
      'eof',
      'timeout',
    ],
    ...['holdBack', 'readOn', 'shutdown', 'lost'],
  ],
  client: [
    ...[
      'send',
      'inquire',
      'mailData',
      'much mailData',
      'bad mailData',
      'endOfMailData',
      'quit',
      'compute',
      'tlsEstablished',
    ],
    ...['tlsFailed', 'eof', 'timeout', 'lost'],
  ],
};

const MOST_OCTETS = 65_536;

export class Mutations {
  readonly random: Random;

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.random(values.length)] as Value;
  }

  /** A session of either end, in any mode and state. */
  story(): Story {
    const end = this.pick(['server', 'client'] as const);
    const mode = this.pick(modesOf(end));
    const state = this.pick([...waysOf(end, mode).keys()].filter((each) => each !== 'closed'));
    const moves = Array.from({ length: 1 + this.random(4) }, () => this.#move(end));
    return { end, mode, state, host: this.pick(HOSTS), moves };
  }

  /** The story with some changes; `other`, of the same end, lends its moves. */
  changed(story: Story, other: Story): Story {
    const moves = [...story.moves];
    for (let change = 1 + this.random(4); change > 0; change--) {
      const place = this.random(moves.length + 1);
      switch (this.random(6)) {
        case 0:
          moves.splice(place, 0, this.#move(story.end));
          break;
        case 1:
          moves.splice(place, 1);
          break;
        case 2:
          if (other.end === story.end)
            moves.splice(place, 0, ...other.moves.slice(this.random(other.moves.length + 1)));
          break;
        default: {
          const move = moves[place];
          if (move?.by === 'peer') moves.splice(place, 1, ...this.#bent(move.octets, story.end));
        }
      }
    }
    const mode = this.random(8) === 0 ? this.pick(modesOf(story.end)) : story.mode;
    const state = waysOf(story.end, mode).has(story.state)
      ? story.state
      : this.pick([...waysOf(story.end, mode).keys()]);
    const isOther = this.random(8) === 0;
    return {
      ...story,
      mode,
      state,
      host: isOther ? this.pick(HOSTS) : story.host,
      moves: moves.slice(0, 40),
    };
  }

  #move(end: End): Move {
    switch (this.random(6)) {
      case 0:
        return host(this.pick(hostActs[end]));
      case 1:
        return this.pick(movesOf(end));
      case 2:
        return { by: 'peer', octets: Uint8Array.from({ length: this.random(40) }, () => this.random(256)) };
      default: {
        const some = Array.from({ length: 1 + this.random(5) }, () => this.pick(words[end])).join('');
        return { by: 'peer', octets: octetsOf(some + this.pick(ENDINGS)) };
      }
    }
  }

  /** Octets with one change; perhaps in two chunks. */
  #bent(octets: Uint8Array, end: End): Move[] {
    const text = textOf(octets);
    const at = this.random(text.length + 1);
    const to = at + this.random(text.length - at + 1);
    const changed = ((): string => {
      switch (this.random(6)) {
        case 0:
          return text.slice(0, at) + this.pick(words[end]) + text.slice(at);
        case 1:
          return text.slice(0, at) + this.pick(ENDINGS) + text.slice(at);
        case 2:
          return text.slice(0, at) + text.slice(to);
        case 3:
          return text.slice(0, at) + String.fromCharCode(this.random(256)) + text.slice(at + 1);
        case 4:
          return (
            text.slice(0, to) + text.slice(at, to).repeat(this.pick([1, 2, 7, 100, 3000])) + text.slice(to)
          );
        default:
          return text;
      }
    })().slice(0, MOST_OCTETS);
    const cut = this.random(3) === 0 ? this.random(changed.length + 1) : changed.length;
    return [changed.slice(0, cut), changed.slice(cut)]
      .filter((part) => part !== '')
      .map((part) => ({ by: 'peer', octets: octetsOf(part) }));
  }
}

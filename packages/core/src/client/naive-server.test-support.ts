/**
 * A server for tests that knows no charts: it reads the client's octets line by line, and replies to each
 * command as a whim takes it.
 */

import type { ClientSessionOptions } from './contract/options.js';
import { type Dialogue, type Shown, written } from './dialogue.test-support.js';

/** What the server does when a reply is due. */
export type Whim =
  /** The reply that the client hopes for. */
  | 'accept'
  /** That reply on two lines, of several codes, behind empty lines, or with what looks like another reply amid its text. */
  | 'lines'
  | 'codes'
  | 'empty lines'
  | 'echo'
  /** A refusal. */
  | 221
  | 421
  | 450
  | 500
  | 550
  | 552
  /** A reply that makes no sense there. */
  | 'mismatch'
  /** An accepting reply, and one that nobody asked for. */
  | 'surplus'
  | 'surplus 421'
  | 'surplus 450'
  | 'surplus 550'
  /** An accepting reply over the limits. */
  | 'endless'
  | 'overlong'
  /** Octets that are no reply. */
  | 'classes'
  | 'garbage'
  /** Nothing more, ever. */
  | 'silence'
  /** The end of the connection, before the reply or amid it. */
  | 'close'
  | 'cut';

/** Options under which `endless` and `overlong` exceed the limits. */
export const limits = { maximumReplyLines: 20, maximumReplyLineLength: 200 };

const REFUSES_TO_SPEAK: readonly Whim[] = ['silence', 'close', 'cut'];
const ACCEPTS: readonly Whim[] = [
  ...(['accept', 'lines', 'codes', 'empty lines', 'echo', 'overlong'] as const),
  ...(['surplus', 'surplus 421', 'surplus 450', 'surplus 550'] as const),
];

function replyTo(verb: string, whim: Whim, keywords: readonly string[]): string {
  const code = verb === 'DATA' ? 354 : 250;
  const accept =
    verb === 'EHLO' || verb === 'LHLO'
      ? ['b.example', ...keywords]
          .map((line, i) => `${code}${i === keywords.length ? ' ' : '-'}${line}\r\n`)
          .join('')
      : `${code} OK\r\n`;
  const texts: Readonly<Record<string, string>> = {
    accept,
    lines: `${code}-OK\r\n${accept}`,
    codes: `${code + 1}-OK\r\n${accept}`,
    'empty lines': `\r\n\r\n${accept}`,
    echo: `${code}-You said\n550 No\r450 Not now\n\r\n${accept}`,
    mismatch: verb === 'DATA' ? '250 OK\r\n' : '354 Go on\r\n',
    surplus: `${accept}250 and once more\r\n`,
    'surplus 421': `${accept}421 and good-bye\r\n`,
    'surplus 450': `${accept}450 but not now\r\n`,
    'surplus 550': `${accept}550 but no\r\n`,
    endless: `${code}-OK\r\n`.repeat(limits.maximumReplyLines + 1),
    overlong: `${code} ${'x'.repeat(limits.maximumReplyLineLength)}\r\n`,
    classes: `${code}-OK\r\n550 No\r\n`,
    garbage: 'OK\r\n',
    silence: '',
    close: '',
    cut: `${code} O`,
  };
  return texts[whim] ?? `${whim} No\r\n`;
}

export class NaiveServer {
  /** All that it said. */
  said = '';
  /** It ended the connection. */
  closed = false;
  /** How many octets each command had that it replied to; the greeting, to nothing, comes first. */
  readonly commands: number[] = [];
  readonly #lmtp: boolean;
  /** Recipients that it took in the mail transaction under way. */
  #recipients = 0;
  readonly #keywords: readonly string[];
  readonly #whims: Iterator<Whim>;
  #received = '';
  #inMailData = false;
  #speaks = true;

  constructor({ keywords, whims, options: { protocol } }: Plot) {
    this.#lmtp = protocol === 'lmtp';
    this.#keywords = keywords;
    this.#whims = whims[Symbol.iterator]();
    this.#reply('', 0);
  }

  hear(text: string): void {
    this.#received += text;
    while (this.#speaks) {
      const end = (this.#inMailData ? /(?:^|\r\n)\.\r\n/ : /\r\n/).exec(this.#received);
      if (end === null) return;
      const line = end.index + end[0].length;
      const chunk = this.#inMailData ? null : /^BDAT (\d+)( LAST)?\r\n/.exec(this.#received);
      const octets = line + Number(chunk?.[1] ?? 0);
      if (this.#received.length < octets) return;
      const verb = this.#inMailData || chunk?.[2] ? '.' : this.#received.slice(0, 4);
      this.#received = this.#received.slice(octets);
      this.#inMailData = false;
      // RFC 2033 §4.2
      const replies = verb === '.' && this.#lmtp ? this.#recipients : 1;
      for (let count = 0; count < replies && this.#speaks; count++) this.#reply(verb, octets);
    }
  }

  #reply(verb: string, octets: number): void {
    const next = this.#whims.next();
    const whim = next.done === true ? 'accept' : next.value;
    const reply = replyTo(verb, whim, this.#keywords);
    this.commands.push(octets);
    this.said += reply;
    this.#inMailData = verb === 'DATA' && ACCEPTS.includes(whim);
    if (verb === 'MAIL') this.#recipients = 0;
    if (verb === 'RCPT' && (ACCEPTS.includes(whim) || whim === 'endless')) this.#recipients += 1;
    this.#speaks = !REFUSES_TO_SPEAK.includes(whim);
    this.closed = whim === 'close' || whim === 'cut';
  }
}

/** What the application does about a message. */
export type Sending =
  /** Sends it. */
  | 'whole'
  /** Gives up amid it. */
  | 'abort'
  /** Stops amid it, and does nothing more. */
  | 'stall'
  /** Sends what cannot be sent, and gives up. */
  | 'unfit';

export interface Plot {
  readonly options: Pick<ClientSessionOptions, 'protocol' | 'mailDataBy'>;
  readonly keywords: readonly string[];
  readonly whims: readonly Whim[];
  /** A mail transaction each: how many recipients it has, and what becomes of its message. */
  readonly messages: readonly { readonly recipients: number; readonly sending: Sending }[];
}

/** What happened between a client and a naive server. */
export interface Course {
  readonly outputs: readonly Shown[];
  /** All that the client wrote. */
  readonly wrote: string;
  /** All that the server said and the client was handed. */
  readonly heard: string;
}

/**
 * Lets a client talk to a server until the session is over. The application acts when all that the server
 * said has been handed in.
 *
 * @param cut cuts what the server said into the chunks in which it is handed in
 * @param watch is called for each output, and told how much of what the server said has been handed in
 */
export function converse(
  client: Dialogue,
  plot: Plot,
  cut: (text: string) => readonly string[],
  watch: (output: Shown, server: NaiveServer, heard: number) => void = () => {},
): Course {
  const server = new NaiveServer(plot);
  const messages = [...plot.messages];
  let pieces: string[] = [];
  const all: Shown[] = [];
  let sending: Sending = 'whole';
  let heard = 0;

  const take = (outputs: readonly Shown[]) => {
    for (const output of outputs) {
      watch(output, server, heard);
      all.push(output);
      if (typeof output === 'string') server.hear(output);
    }
  };

  /** What the application does now; undefined if it waits. */
  const act = (): readonly Shown[] | undefined => {
    const { session } = client;
    if (session.state === 'session.transaction.abandoned') return client.handle({ type: 'lost' });
    if (session.wantsMailData) {
      const outputs = client.data(pieces.shift() ?? '');
      switch (sending) {
        case 'abort':
          return [...outputs, ...client.handle({ type: 'lost' })];
        case 'stall':
          return [...outputs, ...client.timeout()];
        case 'unfit':
          try {
            if (session.wantsMailData) client.data('\0');
          } catch {
            // stands in the state
          }
          return outputs;
        default:
          while (session.wantsMailData && pieces.length > 0)
            outputs.push(...client.data(pieces.shift() ?? ''));
          if (session.wantsMailData) outputs.push(...client.end());
          return outputs;
      }
    }
    if (session.state !== 'session.ready') return undefined;
    const message = messages.shift();
    if (message === undefined) return client.handle({ type: 'quit' });
    sending = message.sending;
    const large = plot.options.mailDataBy === 'bdat' ? ['x'.repeat(65_536), 'x'.repeat(65_536)] : [];
    pieces = ['.Hello\n.\n..\r', '\n', ...large, '.'];
    return client.send(message.recipients);
  };

  while (client.session.state !== 'closed') {
    const said = server.said.slice(heard);
    for (const chunk of cut(said)) {
      heard += chunk.length;
      take(client.octets(chunk));
    }
    if (said === '') take(act() ?? (server.closed ? client.handle({ type: 'eof' }) : client.timeout()));
  }
  return { outputs: all, wrote: written(all), heard: server.said.slice(0, heard) };
}

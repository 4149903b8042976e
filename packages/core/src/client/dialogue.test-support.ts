/**
 * A client session as the tests speak to it: lines of the server go in as text, and what comes out is shown
 * as the text that was written and the events as they are.
 */

import type { MailParameters } from '../extensions/contract/parameters.js';
import { compute, passwordOf, tlsWith } from '../sasl/running.test-support.js';
import type { TlsInformation } from '../tls.js';
import type { ClientEvent, ClientInput, ClientOutput } from './contract/messages.js';
import type { ClientAuthentication, ClientSessionOptions } from './contract/options.js';
import type { ClientEnvelope } from './envelope/envelope.js';
import { ClientSession } from './session.js';

/** One octet a character, so that strings can stand for octets. */
export const octetsOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
export const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

export type Shown = string | ClientEvent | Exclude<ClientOutput, { type: 'write' } | { type: 'event' }>;

/** An input without its time. */
export type TimelessInput = ClientInput extends infer Input
  ? Input extends ClientInput
    ? Omit<Input, 'now'>
    : never
  : never;

function show(output: ClientOutput): Shown {
  if (output.type === 'write') return textOf(output.bytes);
  return output.type === 'event' ? output.event : output;
}

export const mailbox = (text: string) => {
  const at = text.lastIndexOf('@');
  return { localPart: text.slice(0, at), domain: text.slice(at + 1) };
};

/** An envelope with this many recipients, `r0@b.example` and so on. */
export const envelopeFor = (recipients: number): ClientEnvelope => ({
  reversePath: mailbox('s@a.example'),
  recipients: Array.from({ length: recipients }, (_, index) => mailbox(`r${index}@b.example`)),
});

/** A connection that TLS protects. */
export const TLS = tlsWith({});

/** Options of a client that has a password. */
export const withPassword = (
  password = 'pencil',
  more: Partial<ClientAuthentication> = {},
): { readonly tls: TlsInformation; readonly authentication: ClientAuthentication } => ({
  tls: TLS,
  authentication: { credentials: passwordOf('user', password), ...more },
});

export class Dialogue {
  readonly session: ClientSession;
  now = 0;

  constructor(options: ClientSessionOptions = {}) {
    this.session = new ClientSession({ hostname: 'c.example', now: 0, ...options });
  }

  handle(input: TimelessInput): Shown[] {
    this.session.handle({ ...input, now: this.now });
    const outputs: Shown[] = [];
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll()) {
      outputs.push(show(output));
    }
    return outputs;
  }

  /** The server's bytes. */
  octets(text: string): Shown[] {
    return this.handle({ type: 'bytes', bytes: octetsOf(text) });
  }

  /** Whole lines of the server, in one chunk. */
  hear(...lines: string[]): Shown[] {
    return this.octets(lines.map((line) => `${line}\r\n`).join(''));
  }

  send(recipients = 1, parameters: MailParameters = {}): Shown[] {
    return this.handle({ type: 'send', envelope: { ...envelopeFor(recipients), parameters } });
  }

  /** Does what the outputs ask to be computed, until nothing is left of that; all other outputs. */
  compute(outputs: readonly Shown[]): Shown[] {
    return outputs.flatMap((output) =>
      typeof output !== 'string' && output.type === 'compute'
        ? this.compute(this.handle({ type: 'computed', result: compute(output.computation) }))
        : [output],
    );
  }

  /** The server's bytes, what they lead to computed. */
  say(...lines: string[]): Shown[] {
    return this.compute(this.hear(...lines));
  }

  data(text: string): Shown[] {
    return this.handle({ type: 'mailData', bytes: octetsOf(text) });
  }

  end(): Shown[] {
    return this.handle({ type: 'endOfMailData' });
  }

  /** Lets time pass until the next deadline. */
  timeout(): Shown[] {
    this.now = this.session.nextDeadline() ?? this.now;
    return this.handle({ type: 'timeout' });
  }

  /** Greeted, and introduced to a server that offers these EHLO keywords. */
  ready(...keywords: string[]): this {
    this.offered(...keywords);
    return this;
  }

  /** Greeted, and told these EHLO keywords: what comes of the latter. */
  offered(...keywords: string[]): Shown[] {
    this.hear('220 b.example ESMTP');
    return this.offer(...keywords);
  }

  /** Told these EHLO keywords in reply to EHLO. */
  offer(...keywords: string[]): Shown[] {
    const lines = ['b.example', ...keywords];
    return this.say(...lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`));
  }

  /** In a mail transaction of one recipient, up to the 354. */
  sending(): this {
    this.ready().send();
    this.hear('250 OK');
    this.hear('250 OK');
    this.hear('354 Go on');
    return this;
  }
}

/** The handshake behind STARTTLS was asked for. */
export function securing(): Dialogue {
  const client = new Dialogue({ startTls: 'required' });
  client.offered('STARTTLS');
  client.hear('220 Go ahead');
  return client;
}

/** One octet more than a chunk has: handed in piece by piece, each time a chunk is written, and the rest held back. */
export const CHUNKFUL = 'x'.repeat(65_537);

/** In a mail transaction of one recipient, in which the message is to be handed in in chunks. */
export function chunking(...keywords: string[]): Dialogue {
  const client = new Dialogue({ mailDataBy: 'bdat' }).ready('CHUNKING', ...keywords);
  client.send();
  client.hear('250 OK');
  client.hear('250 OK');
  return client;
}

/** With LMTP, in a mail transaction of this many recipients, all accepted; the message was sent. */
export function delivered(recipients: number): Dialogue {
  const client = new Dialogue({ protocol: 'lmtp' }).ready();
  client.send(recipients);
  client.hear('250 OK');
  for (let index = 0; index < recipients; index++) client.hear('250 OK');
  client.hear('354 Go on');
  client.end();
  return client;
}

/** The verdicts of the `done` among the outputs. */
export function verdictsIn(outputs: readonly Shown[]) {
  return outputs.flatMap((output) =>
    typeof output !== 'string' && output.type === 'done' ? output.verdicts : [],
  );
}

/** The failure of the `failed` among the outputs. */
export function failureIn(outputs: readonly Shown[]) {
  return outputs.flatMap((output) =>
    typeof output !== 'string' && output.type === 'failed' ? output.failure : [],
  )[0];
}

export function written(outputs: readonly Shown[]): string {
  return outputs.filter((output) => typeof output === 'string').join('');
}

/** In a mail transaction of one recipient, these replies given. */
export function begun(...replies: string[]): Dialogue {
  const client = new Dialogue().ready();
  client.send();
  for (const line of replies) client.hear(line);
  return client;
}

/** The final dot was sent. */
export function ended(): Dialogue {
  const client = new Dialogue().sending();
  client.end();
  return client;
}

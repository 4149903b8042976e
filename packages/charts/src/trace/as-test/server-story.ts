/** The story of a server's session. */
import { type Reply, standardExtensions } from '@sansmtp/core';
import type { CommandLine, Decision, RecordOf, TracedTls, TraceRecord } from '../records.js';
import {
  codesOf,
  keywordsIn,
  type Piece,
  recordsAfter,
  replyOf,
  Steps,
  type Story,
  textOf,
} from './story.js';

export function serverStory(records: readonly TraceRecord[]): Story {
  const telling = new Telling(records);
  telling.tell();
  const { steps, answers, ends } = telling;
  return { ...optionsOf(records), steps: steps.all, answers, ...(ends !== undefined && { ends }) };
}

class Telling {
  readonly #records: readonly TraceRecord[];
  readonly #began: number;
  readonly steps = new Steps();
  readonly answers: { question: string; answer: string }[] = [];
  ends: string | undefined;
  /** The piece of the wire that the last command came in. */
  #cause: number | undefined;
  /** Of the AUTH exchange: what the client says next. */
  #responses: string[] = [];
  #isLmtp = false;

  constructor(records: readonly TraceRecord[]) {
    this.#records = records;
    this.#began = records[0]?.time ?? 0;
  }

  tell(): void {
    this.steps.begin({ at: 0, kind: 'handle' });
    for (const [index, record] of this.#records.entries()) {
      this.#take(record, recordsAfter(this.#records, index));
      if (this.ends !== undefined) return;
    }
  }

  #take(record: TraceRecord, after: Iterable<TraceRecord>): void {
    const { name, data } = record;
    const at = record.time - this.#began;
    switch (name) {
      case 'smtp:command_received': {
        if (data.verb === 'LHLO') this.#isLmtp = true;
        const pieces = data.exchange ? this.#response(data, after) : this.#command(data, after);
        if (pieces !== undefined) this.#receive(at, pieces, record.cause);
        break;
      }
      case 'smtp:data':
        if (this.#isByData(after) && data.complete) {
          this.#receive(at, messageOf(data.raw, after), undefined);
        }
        break;
      case 'smtp:reply_sent':
        this.steps.say(codesOf(data));
        break;
      case 'smtp:decision':
        if (data.about === 'question') this.#answer(data, after);
        break;
      case 'tls:handshake': {
        const input =
          data.outcome === 'established'
            ? `type: 'tlsEstablished', tls: ${tlsText(data)}`
            : "type: 'tlsFailed'";
        this.steps.begin({ at, kind: 'handle', input });
        break;
      }
      case 'smtp:state_updated': {
        const input = inputOf(data.event);
        if (input !== undefined) this.steps.begin({ at, kind: 'handle', input });
        this.steps.stand(data.new);
      }
    }
  }

  /** What came in one piece is received in one. */
  #receive(at: number, pieces: readonly Piece[], cause: number | undefined): void {
    const { last } = this.steps;
    if (cause !== undefined && cause === this.#cause && last?.kind === 'receive') {
      (last.pieces as Piece[]).push(...pieces);
      return;
    }
    this.#cause = cause;
    this.steps.begin({ at, kind: 'receive', pieces: [...pieces] });
  }

  #command({ line, verb, raw }: CommandLine, after: Iterable<TraceRecord>): readonly Piece[] | undefined {
    if (verb === 'AUTH') return this.#authentication(line, after);
    if (raw.data === undefined) return [{ text: standIn(line, verb, raw.length) }];
    const text = textOf(raw.data);
    const [, size] = /^BDAT +(\d+)/i.exec(text) ?? [];
    // A chunk that has no reply did not come to its end.
    const { code } = nextOf(after, 'smtp:reply_sent')?.data ?? { code: 421 };
    if (size === undefined || code === 421) return [{ text: `${text}\r\n` }];
    return [{ text: `${text}\r\n` }, ...chunkOf(Number(size), after)];
  }

  /** PLAIN and LOGIN have a stand-in; the others prove that they know a password. */
  #authentication(line: string, after: Iterable<TraceRecord>): readonly Piece[] | undefined {
    const [, mechanism = '', initial] = /^AUTH +([\w-]+)( .*)?$/i.exec(line) ?? [];
    const goesOn =
      nextOf(after, 'smtp:state_updated')?.data.new.startsWith('session.authenticating') === true;
    const name = mechanism.toUpperCase();
    if (goesOn && name !== 'PLAIN' && name !== 'LOGIN') {
      this.ends = `AUTH ${name} cannot be said again: the trace has no secrets`;
      return undefined;
    }
    if (mechanism === '') return [{ text: 'AUTH\r\n' }];
    const user = usernameIn(after);
    this.#responses = name === 'LOGIN' ? [user, 'secret'] : [`\0${user}\0secret`];
    if (initial === undefined) return [{ text: `AUTH ${mechanism}\r\n` }];
    return [{ text: `AUTH ${mechanism} ` }, this.#nextResponse(after), { text: '\r\n' }];
  }

  #response(_: CommandLine, after: Iterable<TraceRecord>): readonly Piece[] {
    const event = nextOf(after, 'smtp:state_updated')?.data.event;
    if (event === 'cancel') return [{ text: '*\r\n' }];
    return [this.#nextResponse(after), { text: '\r\n' }];
  }

  #nextResponse(after: Iterable<TraceRecord>): Piece {
    const title = nextOf(after, 'smtp:reply_sent')?.data.title;
    if (title === 'authenticationLineTooLong') return { text: 'x'.repeat(13_000) };
    if (title === 'malformedBase64') return { text: '!' };
    if (title === 'malformedResponse') return { base64: 'x' };
    return { base64: this.#responses.shift() ?? 'x' };
  }

  #isByData(after: Iterable<TraceRecord>): boolean {
    return nextOf(after, 'smtp:state_updated')?.data.event === 'endOfMailData';
  }

  #answer(
    { question, decision, reply }: Extract<Decision, { readonly about: 'question' }>,
    after: Iterable<TraceRecord>,
  ): void {
    const own = reply === undefined ? '' : `, reply: ${JSON.stringify(replyOf(reply))}`;
    const each = question === 'message' && this.#isLmtp ? recipientReplies(after) : '';
    this.answers.push({ question, answer: `{ decision: '${decision}'${own}${each} }` });
  }
}

/** Events of the chart that come from outside, as inputs of the session. */
function inputOf(event: string): string | undefined {
  if (event.startsWith('after ')) return "type: 'timeout'";
  return Object.hasOwn(INPUTS, event) ? INPUTS[event] : undefined;
}

const INPUTS: Readonly<Record<string, string>> = {
  peerClosed: "type: 'eof'",
  connectionLost: "type: 'lost'",
  shutdown: "type: 'shutdown'",
};

function nextOf<Name extends TraceRecord['name']>(
  records: Iterable<TraceRecord>,
  name: Name,
): RecordOf<Name> | undefined {
  for (const record of records) if (record.name === name) return record as RecordOf<Name>;
  return undefined;
}

/** A line of which the trace has only what kind it was. */
function standIn(line: string, verb: string | undefined, length: number | undefined): string {
  if (length !== undefined) return `${'x'.repeat(Math.max(1, length - 2))}\r\n`;
  const beginning = verb ?? 'x';
  return line.includes('too long') ? `${beginning} ${'x'.repeat(13_000)}\r\n` : `${beginning} \nx\r\n`;
}

/** What was found of the message that ends now. */
function verdictIn(
  after: Iterable<TraceRecord>,
): Extract<Decision, { readonly about: 'message' }> | undefined {
  for (const { name, data } of after) {
    if (name === 'smtp:command_received') return undefined;
    if (name === 'smtp:decision' && data.about === 'message') return data;
  }
  return undefined;
}

/** The message behind DATA, with its end. */
function messageOf(
  { length, data }: { readonly length: number; readonly data?: string },
  after: Iterable<TraceRecord>,
): readonly Piece[] {
  if (data !== undefined) return [{ text: `${textOf(data).replace(/^\./gm, '..')}.\r\n` }];
  const verdict = verdictIn(after);
  if (verdict?.reason === 'malformed') return [{ text: 'x\nx\r\n.\r\n' }];
  return [{ filler: verdict?.reason === 'tooLarge' ? verdict.length : length }, { text: '.\r\n' }];
}

/** The octets of a chunk, whether or not it is taken. */
function chunkOf(size: number, after: Iterable<TraceRecord>): readonly Piece[] {
  if (verdictIn(after)?.reason === 'malformed' && size > 4) return [{ text: '\n' }, { filler: size - 1 }];
  return [{ filler: size }];
}

function usernameIn(after: Iterable<TraceRecord>): string {
  for (const { name, data } of after) {
    if (name === 'smtp:decision' && data.about === 'authentication') return data.username ?? 'ann';
  }
  return 'ann';
}

/** Over LMTP each recipient has a reply to the message. */
function recipientReplies(after: Iterable<TraceRecord>): string {
  const replies: Reply[] = [];
  for (const { name, data } of after) {
    if (name === 'smtp:command_received' || name === 'smtp:closed') break;
    if (name === 'smtp:reply_sent') replies.push(replyOf(data));
  }
  return replies.length < 2 ? '' : `, recipientReplies: ${JSON.stringify(replies)}`;
}

function tlsText({ protocol = 'TLSv1.3', cipher = '' }: TracedTls): string {
  return JSON.stringify({ protocol, cipher, channelBindings: {} });
}

/** The options under which the session must have run, as far as the trace tells them. */
function optionsOf(records: readonly TraceRecord[]): Pick<Story, 'options' | 'keywords'> {
  const replies = records.filter(
    (record): record is RecordOf<'smtp:reply_sent'> => record.name === 'smtp:reply_sent',
  );
  const steps = records.filter(
    (record): record is RecordOf<'smtp:state_updated'> => record.name === 'smtp:state_updated',
  );
  const titles = new Set(replies.map(({ data }) => data.title));
  const offers = replies.filter(({ data }) => data.code === 250 && /^[EL]HLO$/.test(data.verb ?? ''));
  const offered = new Map(offers.flatMap(({ data }) => [...keywordsIn(data)]));
  const tls = steps[0]?.data.connection?.tls;
  const options: string[] = [];

  const [hostname = ''] = replies[0]?.data.lines[0]?.split(' ', 1) ?? [];
  if (hostname !== '') options.push(`hostname: ${JSON.stringify(hostname)}`);
  if (offers.some(({ data }) => data.verb === 'LHLO')) options.push("protocol: 'lmtp'");
  if (tls !== undefined) options.push(`tls: ${tlsText(tls)}`);
  const size = Number(offered.get('SIZE'));
  if (size > 0) options.push(`maximumMessageSize: ${size}`);
  const required = titles.has('tlsRequired');
  if (offered.has('STARTTLS') || required) options.push(`startTls: '${required ? 'required' : 'offered'}'`);
  const authentication = authenticationOf(records, offered.get('AUTH'), titles);
  if (authentication !== undefined) options.push(`authentication: ${authentication}`);
  if (offered.has('XCLIENT') || offered.has('XFORWARD')) options.push('trusted: true');
  if (isLenient(records)) options.push('lenient: true');
  if (titles.has('tooManyRecipients'))
    options.push(`maximumRecipients: ${countBefore(records, 'recipients')}`);
  if (titles.has('tooManyErrors')) options.push(`maximumErrors: ${countBefore(records, 'errors') + 1}`);
  options.push(`timeouts: ${JSON.stringify(timeoutsIn(records))}`);
  const keywords = keywordsOf(offered);
  return { options, ...(keywords && { keywords }) };
}

function authenticationOf(
  records: readonly TraceRecord[],
  mechanisms: string | undefined,
  titles: ReadonlySet<string | undefined>,
): string | undefined {
  const required = titles.has('authenticationRequired');
  if (mechanisms === undefined && !required) return undefined;
  const names = mechanisms?.split(' ').filter((name) => name !== '') ?? [];
  const secured = records.findIndex(
    ({ name, data }) =>
      name === 'tls:handshake' || (name === 'smtp:state_updated' && data.connection?.tls !== undefined),
  );
  const before = secured < 0 ? records : records.slice(0, secured);
  const inTheClear = before.some(
    ({ name, data }) => name === 'smtp:reply_sent' && data.lines.some((line) => /^AUTH /i.test(line)),
  );
  return JSON.stringify({
    mechanisms: names,
    ...(inTheClear && { allowInsecure: true }),
    ...(required && { required }),
  });
}

/** Such a command is accepted where the rules are liberal. */
function isLenient(records: readonly TraceRecord[]): boolean {
  const odd = new Set(
    records.flatMap(({ name, seq, data }) =>
      name === 'smtp:command_received' &&
      data.refusal === undefined &&
      (data.verb === 'MAIL' || data.verb === 'RCPT') &&
      (!/^\S+ \w+:<\S*>/.test(data.line) || data.state === 'session.greeted')
        ? [seq]
        : [],
    ),
  );
  return records.some(
    ({ name, cause, data }) =>
      name === 'smtp:state_updated' &&
      cause !== undefined &&
      odd.has(cause) &&
      data.new.startsWith('session.transaction.'),
  );
}

/** The highest that the chart has counted. */
function countBefore(records: readonly TraceRecord[], counted: string): number {
  const counts = records.flatMap(({ name, data }) =>
    name === 'smtp:state_updated'
      ? data.changes.filter((change) => change.name === counted).map(({ after }) => Number(after))
      : [],
  );
  return Math.max(0, ...counts);
}

function timeoutsIn(records: readonly TraceRecord[]): Readonly<Record<string, number>> {
  const timers = records.flatMap(({ name, data }) =>
    name === 'smtp:timer_set' && data.delay !== undefined ? [[data.timer, data.delay] as const] : [],
  );
  return Object.fromEntries(timers);
}

/** EHLO keywords that come and go with the connection. */
const CONDITIONAL = ['SIZE', 'STARTTLS', 'AUTH', 'XCLIENT', 'XFORWARD'];

/** Undefined: those that a server offers by default. */
function keywordsOf(offered: ReadonlyMap<string, string>): readonly string[] | undefined {
  if (offered.size === 0) return undefined;
  const standard = standardExtensions.map(({ keyword }) => keyword);
  const isStandard =
    standard.every((keyword) => offered.has(keyword) || CONDITIONAL.includes(keyword)) &&
    [...offered.keys()].every((keyword) => standard.includes(keyword));
  return isStandard ? undefined : [...new Set([...offered.keys(), ...CONDITIONAL])];
}

/** The story of a client's session: the server's replies come, and the application sends and quits. */
import type { RecordOf, TracedTls, TraceRecord } from '../records.js';
import { recordsAfter, Steps, type Story, textOf } from './story.js';

export function clientStory(records: readonly TraceRecord[]): Story {
  const began = records[0]?.time ?? 0;
  const steps = new Steps();
  steps.begin({ at: 0, kind: 'handle' });
  let ends: string | undefined;
  for (const [index, record] of records.entries()) {
    const after = recordsAfter(records, index);
    ends = take(record, after, record.time - began, steps);
    if (ends !== undefined) break;
  }
  return { options: optionsOf(records), steps: steps.all, answers: [], ...(ends !== undefined && { ends }) };
}

/** @returns why the story ends here, if it does */
function take(
  record: TraceRecord,
  after: Iterable<TraceRecord>,
  at: number,
  steps: Steps,
): string | undefined {
  const { name, data } = record;
  switch (name) {
    case 'smtp:command_sent':
      if (data.verb === 'AUTH') return 'AUTH cannot be said again: the trace has no secrets';
      steps.say(data.line);
      return undefined;
    case 'smtp:reply_received':
      if (data.raw.data === undefined) return 'what the server said is not in the trace';
      steps.begin({ at, kind: 'receive', pieces: [{ text: textOf(data.raw.data) }] });
      return undefined;
    case 'smtp:data': {
      if (!data.complete) return 'the message broke off';
      const sizes = chunkSizes(after);
      if (sizes.length > 1) return 'how a message is cut into chunks depends on what it says';
      const [size] = sizes;
      const octets = size ?? data.raw.length;
      steps.begin({ at, kind: 'handle', input: `type: 'mailData', bytes: octets(message(${octets}))` });
      return undefined;
    }
    case 'tls:handshake':
      if (data.outcome === 'failed') return 'the TLS handshake failed';
      steps.begin({ at, kind: 'handle', input: `type: 'tlsEstablished', tls: ${tlsText(data)}` });
      return undefined;
    case 'smtp:state_updated':
      return takeStep(data, after, at, steps);
    default:
      return undefined;
  }
}

function takeStep(
  { event, new: state }: RecordOf<'smtp:state_updated'>['data'],
  after: Iterable<TraceRecord>,
  at: number,
  steps: Steps,
): string | undefined {
  let ends: string | undefined;
  if (event === 'send') {
    const envelope = envelopeIn(after);
    if (envelope === undefined) ends = 'the envelope has parameters that are not told apart here';
    else steps.begin({ at, kind: 'handle', input: `type: 'send', envelope: ${envelope}` });
  } else if (event === 'inquire') ends = 'a question of the application is not in the trace';
  else if (event === 'abandon') ends = 'the application gave the message up';
  else if (Object.hasOwn(INPUTS, event)) steps.begin({ at, kind: 'handle', input: INPUTS[event] ?? '' });
  else if (event.startsWith('after ')) steps.begin({ at, kind: 'handle', input: "type: 'timeout'" });
  if (ends === undefined) steps.stand(state);
  return ends;
}

const INPUTS: Readonly<Record<string, string>> = {
  endOfMailData: "type: 'endOfMailData'",
  quit: "type: 'quit'",
  peerClosed: "type: 'eof'",
  connectionLost: "type: 'lost'",
};

/** The sizes that BDAT announces next. */
function chunkSizes(after: Iterable<TraceRecord>): readonly number[] {
  const sizes: number[] = [];
  for (const { name, data } of after) {
    if (name !== 'smtp:command_sent') continue;
    const [, size] = /^BDAT (\d+)/.exec(data.line) ?? [];
    if (size === undefined) return sizes;
    sizes.push(Number(size));
  }
  return sizes;
}

/** The envelope that the next commands spell, as JavaScript. */
function envelopeIn(after: Iterable<TraceRecord>): string | undefined {
  let from: string | undefined;
  const to: string[] = [];
  const parameters: Record<string, unknown> = {};
  for (const { name, data } of after) {
    if (name !== 'smtp:command_sent') continue;
    const [, verb, path = '', rest = ''] = /^(MAIL FROM|RCPT TO):(<[^>]*>)(.*)$/.exec(data.line) ?? [];
    if (verb === 'MAIL FROM' && from === undefined) {
      from = path;
      for (const each of rest.trim().split(' ')) {
        const [keyword = '', value] = each.split('=');
        if (keyword === 'SIZE') parameters.size = Number(value);
        else if (keyword === 'BODY') parameters.body = value;
        else if (keyword === 'SMTPUTF8') parameters.smtpUtf8 = true;
        else if (keyword !== '') return undefined;
      }
    } else if (verb === 'RCPT TO' && rest === '') to.push(path.slice(1, -1));
    else break;
  }
  if (from === undefined || to.length === 0) return undefined;
  return JSON.stringify({ from: from === '<>' ? from : from.slice(1, -1), to, parameters });
}

function optionsOf(records: readonly TraceRecord[]): readonly string[] {
  const sent = records.filter(
    (record): record is RecordOf<'smtp:command_sent'> => record.name === 'smtp:command_sent',
  );
  const hello = sent.find(({ data }) => /^[EL]HLO$/.test(data.verb ?? ''));
  const [verb, name] = hello?.data.line.split(' ') ?? [];
  const [first] = records;
  const tls = first?.name === 'smtp:state_updated' ? first.data.connection?.tls : undefined;
  const startTls = sent.some(({ data }) => data.verb === 'STARTTLS') ? 'opportunistic' : 'never';
  return [
    `hostname: ${JSON.stringify(name ?? 'localhost')}`,
    ...(verb === 'LHLO' ? ["protocol: 'lmtp'"] : []),
    ...(tls === undefined ? [] : [`tls: ${tlsText(tls)}`]),
    `startTls: '${startTls}'`,
    `timeouts: ${JSON.stringify(timeoutsIn(records))}`,
  ];
}

function timeoutsIn(records: readonly TraceRecord[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    records.flatMap(({ name, data }) =>
      name === 'smtp:timer_set' && data.delay !== undefined ? [[data.timer, data.delay] as const] : [],
    ),
  );
}

function tlsText({ protocol = 'TLSv1.3', cipher = '' }: TracedTls): string {
  return JSON.stringify({ protocol, cipher, channelBindings: {} });
}

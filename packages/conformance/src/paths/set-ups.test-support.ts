/** Our own server in memory, set up so that the paths lead through all of its chart: by options, and by what is decided. */
import { etrn, standardExtensions } from '@sansmtp/core';
import { Rejection, type ServeOptions, type ServerHandlers, serveSession } from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import { createIdleClock } from '../running/idle-clock.js';
import type { ServerToTest } from '../running/server-to-test.js';
import type { PathOptions } from './paths.js';

const CREDENTIALS = { user: 'ann', password: 'pencil' };

export interface SetUp {
  readonly session?: Partial<ServeOptions>;
  readonly handlers?: Partial<ServerHandlers<{ asked: number }>>;
  readonly paths?: PathOptions;
  /** Of the paths' ids. @default all are walked */
  readonly only?: RegExp;
}

const offered = { allowInsecure: true, mechanisms: ['PLAIN', 'LOGIN'] } as const;

/** What each question can be decided by, and what asks it. */
const QUESTIONS = {
  onHello: /-(?:e|l)hlo$/,
  onMailFrom: /ready-mail$/,
  onRcptTo: /-rcpt$/,
  onData: /addressed-(?:data|bdat-last)$/,
  onMessage: /addressed-(?:data|bdat-last)$/,
  onVerify: /-vrfy$/,
  onExpand: /-expn$/,
  onHelp: /-help$/,
  onAuth: /ready-auth-(?:plain|login|twice)$/,
  onEtrn: /-etrn$/,
  onExtension: /-unknown$/,
} as const satisfies { readonly [Name in keyof ServerHandlers]?: RegExp };

type Question = keyof typeof QUESTIONS;

const DECISIONS: Readonly<Record<string, () => unknown>> = {
  accepts: () => undefined,
  refuses: () => {
    throw new Rejection(550, '5.7.1', 'Not here');
  },
  'ends the session': () => ({ code: 421, enhancedCode: '4.3.2', lines: ['Enough'] }),
  'does not decide': () => new Promise(() => {}),
};

/** @param from from which question of a session on it decides so; those before are accepted */
function decided(question: Question, decision: () => unknown, from: number): SetUp {
  const handler = (...given: readonly unknown[]) => {
    const session = given.at(-1) as { state: { asked: number } };
    session.state.asked++;
    return session.state.asked < from ? undefined : decision();
  };
  return {
    session: { extensions: [...standardExtensions, etrn, { keyword: 'XVERB', verbs: ['XYZZY'] }] },
    handlers: { [question]: handler },
    paths: { facts: { takes: () => undefined, users: {} } },
    only: QUESTIONS[question],
  };
}

/** Without a decision these are refused; the others are accepted, or have to be decided anyway. */
const isRefusedByDefault = (question: Question): boolean => /^on(?:Expand|Etrn|Extension)$/.test(question);

const decisions = (Object.keys(QUESTIONS) as Question[]).flatMap((question) =>
  Object.entries(DECISIONS).flatMap(([name, decision]) => {
    if (name === 'accepts' && !isRefusedByDefault(question)) return [];
    return froms(question).map(
      (from) => [`${question} ${name} from ${from} on`, decided(question, decision, from)] as const,
    );
  }),
);

/** The way to a state needs its EHLO accepted; a refused RCPT leads elsewhere if it is the second. */
function froms(question: Question): readonly number[] {
  if (question === 'onHello') return [2];
  return question === 'onRcptTo' ? [1, 2] : [1];
}

export const SET_UPS: Readonly<Record<string, SetUp>> = {
  'as it is': {},
  LMTP: { session: { protocol: 'lmtp' } },
  'patient with no error': { session: { maximumErrors: 1 } },
  'LMTP, patient with no error': { session: { protocol: 'lmtp', maximumErrors: 1 } },
  'TLS required': { session: { startTls: 'required' }, paths: { uninvited: true } },
  'TLS required, patient with no error': {
    session: { startTls: 'required', maximumErrors: 1 },
    paths: { uninvited: true },
  },
  'AUTH required': {
    session: { authentication: { ...offered, required: true, maximumFailures: 1 } },
    paths: { uninvited: true },
  },
  'AUTH required, patient with no error': {
    session: { authentication: { ...offered, required: true }, maximumErrors: 1 },
    paths: { uninvited: true },
  },
  lenient: { session: { lenient: true }, paths: { withoutHello: true } },
  'lenient, patient with no error': {
    session: { lenient: true, maximumErrors: 1 },
    paths: { withoutHello: true },
  },
  'lenient, TLS required': {
    session: { lenient: true, startTls: 'required', maximumErrors: 1 },
    paths: { withoutHello: true },
    only: /greeted/,
  },
  'lenient, AUTH required': {
    session: { lenient: true, authentication: { ...offered, required: true } },
    paths: { withoutHello: true },
    only: /greeted/,
  },
  'lenient, AUTH required, patient with no error': {
    session: { lenient: true, authentication: { ...offered, required: true }, maximumErrors: 1 },
    paths: { withoutHello: true },
    only: /greeted/,
  },
  'one recipient only': { session: { maximumRecipients: 1 }, only: /addressed-rcpt$/ },
  'trusts its peer': { session: { trusted: true }, only: /-x(?:client|forward)/ },
  'trusts its peer, patient with no error': {
    session: { trusted: true, maximumErrors: 1 },
    only: /-x(?:client|forward)/,
  },
  'trusts its peer, TLS required': {
    session: { trusted: true, startTls: 'required' },
    paths: { uninvited: true },
    only: /-x(?:client|forward)/,
  },
  'trusts its peer, TLS required, patient with no error': {
    session: { trusted: true, startTls: 'required', maximumErrors: 1 },
    paths: { uninvited: true },
    only: /-x(?:client|forward)/,
  },
  ...Object.fromEntries(
    ['no', 'one'].flatMap((errors) =>
      ['none', 'TLS', 'AUTH'].map((required) => [
        `extensions, ${required} required, patient with ${errors} error`,
        {
          session: {
            extensions: [...standardExtensions, etrn, { keyword: 'XVERB', verbs: ['XYZZY'] }],
            ...(errors === 'no' && { maximumErrors: 1 }),
            ...(required === 'TLS' && { startTls: 'required' }),
            ...(required === 'AUTH' && { authentication: { ...offered, required: true } }),
          },
          paths: { uninvited: true },
          only: /-(?:etrn|unknown)$/,
        } satisfies SetUp,
      ]),
    ),
  ),
  ...Object.fromEntries(decisions),
};

/** A server that tells which transitions its sessions take. */
export function watchedServer(taken: Set<string>, { session = {}, handlers }: SetUp): ServerToTest {
  const clock = createIdleClock();
  return {
    clock,
    connect() {
      const [near, far] = createMemoryPair({ tls: { mode: 'startTls' } });
      serveSession<{ asked: number }>(
        far,
        {
          createState: () => ({ asked: 0 }),
          onAuth: (attempt) =>
            'password' in attempt && attempt.password.revealText() === CREDENTIALS.password,
          async onMessage({ body }) {
            for await (const _ of body);
          },
          ...handlers,
        },
        {
          hostname: 'mail.test',
          clock,
          startTls: 'offered',
          authentication: offered,
          maximumMessageSize: 3000,
          timeouts: { decision: 10_000 },
          ...session,
          observer: (event) => {
            if (event.type === 'transition') taken.add(event.transition);
          },
        },
      );
      return near;
    },
    credentials: CREDENTIALS,
    from: 'ann@probe.test',
    to: 'bob@mail.test',
    hostname: 'probe.test',
    protocol: session.protocol ?? 'smtp',
  };
}

/** AUTH (RFC 4954) through the session, with the digests of Node. */
import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../errors.js';
import { clientMechanisms } from '../sasl/client-mechanisms.js';
import type {
  AuthenticationAttempt,
  ClientCredentials,
  Judgement,
  MechanismName,
  ServerMechanism,
  StoredCredentials,
} from '../sasl/exchange/exchange.js';
import {
  CERTIFIED,
  ClientHalf,
  EXPORTER,
  passwordOf,
  stored,
  tokenOf,
} from '../sasl/running.test-support.js';
import { serverMechanisms } from '../sasl/server-mechanisms.js';
import type { TlsInformation } from '../tls.js';
import type { Answer } from './decisions/questions.js';
import {
  type Application,
  accept,
  answering,
  base64,
  Dialogue,
  type DialogueOptions,
  hangUp,
  reject,
  textOf,
  typesOf,
} from './dialogue.test-support.js';

const ALL: readonly MechanismName[] = [...serverMechanisms.keys()];
const SUCCEEDED = '235 2.7.0 Authentication succeeded';
const FAILED = '535 5.7.8 Authentication credentials invalid';
const MALFORMED = '501 5.5.2 The response is not what the mechanism prescribes';
const TOO_LONG = '500 5.5.6 Authentication exchange line is too long';
const NOT_BASE64 = '501 5.5.2 The response is not base64';
const GOOD = `AUTH PLAIN ${base64('\0u\0p')}`;

/** Both certified and with something to bind to, so that every mechanism can be used. */
const TLS: TlsInformation = { ...CERTIFIED, channelBindings: EXPORTER.channelBindings };

/** One user, `u` with the password `p` and the token `t`. */
const accounts: Application = (question) => {
  if (question.kind === 'credentials') {
    return question.username === 'u' ? { decision: 'accept', credentials: stored('p') } : reject;
  }
  if (question.kind === 'authenticate') {
    if (!isRight(question.attempt)) return reject;
    // Whose token or certificate it is, only we know.
    const named = 'token' in question.attempt || question.attempt.mechanism === 'EXTERNAL';
    return named ? { ...accept, grant: { authenticatedAs: 'u' } } : accept;
  }
  return accept;
};

function isRight(attempt: AuthenticationAttempt): boolean {
  if (attempt.mechanism === 'EXTERNAL') return attempt.authorizationIdentity !== 'other';
  if (attempt.username !== 'u') return false;
  if ('password' in attempt) return attempt.password.revealText() === 'p';
  return 'token' in attempt ? attempt.token.revealText() === 't' : true;
}

const options: DialogueOptions = {
  tls: TLS,
  authentication: { mechanisms: ALL, iterations: 4096 },
  application: accounts,
};

const start = (more: DialogueOptions = {}): Dialogue => new Dialogue({ ...options, ...more }).ready();

const credentialsFor = (name: MechanismName, username: string, secret: string): ClientCredentials => {
  if (name === 'EXTERNAL') return { kind: 'external', authorizationIdentity: username };
  if (name === 'XOAUTH2' || name === 'OAUTHBEARER') return tokenOf(username, secret === 'p' ? 't' : secret);
  return passwordOf(username, secret);
};

/** Runs our client's half against the session; gives back the lines of the last reply. */
function authenticate(
  dialogue: Dialogue,
  name: MechanismName,
  credentials: ClientCredentials,
  initial = true,
  offered: ReadonlySet<string> = new Set(ALL),
): string[] {
  const mechanism = clientMechanisms.get(name);
  if (mechanism === undefined) throw new Error(`There is no ${name}`);
  const client = new ClientHalf(mechanism, credentials, { channel: { tls: dialogue.session.tls, offered } });
  const written = () => Buffer.from(client.response?.reveal() ?? []).toString('base64');
  const speaksFirst = client.response !== undefined && initial;
  let replies = dialogue.say(`AUTH ${name}${speaksFirst ? ` ${written() || '='}` : ''}`);
  // Without an initial response an empty challenge asks for it.
  if (client.response !== undefined && !initial && replies[0] === '334 ') replies = dialogue.say(written());
  while (replies[0]?.startsWith('334')) {
    client.challenge(Buffer.from(replies[0].slice(4), 'base64'));
    replies = dialogue.say(client.ended === undefined ? written() : '*');
  }
  return replies;
}

describe('each mechanism (RFC 4954 §4)', () => {
  it.each(ALL)('%s lets the right one in', (name) => {
    for (const initial of [true, false]) {
      const dialogue = start();
      expect(authenticate(dialogue, name, credentialsFor(name, 'u', 'p'), initial)).toEqual([SUCCEEDED]);
      expect(dialogue.session.identity).toEqual({
        mechanism: name,
        authenticatedAs: 'u',
        username: 'u',
      });
      expect(dialogue.session.state).toBe('session.ready');
      expect(dialogue.say('MAIL FROM:<a@b>')).toEqual(['250 2.1.0 Sender OK']);
    }
  });

  it.each(ALL.filter((name) => name !== 'EXTERNAL'))(
    '%s turns a wrong secret away: 535 (RFC 4954 §6)',
    (name) => {
      const dialogue = start();
      expect(authenticate(dialogue, name, credentialsFor(name, 'u', 'wrong'))).toEqual([FAILED]);
      expect(dialogue.session.identity).toBeUndefined();
      expect(authenticate(dialogue, name, credentialsFor(name, 'u', 'p'))).toEqual([SUCCEEDED]);
    },
  );

  it.each(ALL.filter((name) => name !== 'EXTERNAL'))(
    '%s goes the same way for a user that there is not',
    (name) => {
      const run = (username: string) => {
        const dialogue = start();
        const reply = authenticate(dialogue, name, credentialsFor(name, username, 'wrong'));
        const shapes = dialogue.outputs.map((output) => {
          if (output.type === 'compute') return `compute ${output.computation.kind}`;
          if (output.type === 'ask') return `ask ${output.question.kind}`;
          return output.type === 'write' ? `write ${textOf(output.bytes).slice(0, 4)}` : output.type;
        });
        // A password that nobody has is drawn, where somebody's is there.
        return { reply, shapes: shapes.filter((shape) => shape !== 'compute random') };
      };
      expect(run('v')).toEqual(run('u'));
    },
  );

  it('SCRAM turns away a client that was made to believe that there is no -PLUS (RFC 5802 §6)', () => {
    const offered = new Set(['SCRAM-SHA-256']);
    const dialogue = start();
    expect(authenticate(dialogue, 'SCRAM-SHA-256', passwordOf('u', 'p'), true, offered)).toEqual([FAILED]);
  });

  it("EXTERNAL is the application's to refuse", () => {
    const dialogue = start();
    expect(authenticate(dialogue, 'EXTERNAL', { kind: 'external', authorizationIdentity: 'other' })).toEqual([
      FAILED,
    ]);
  });
});

describe('what is offered (RFC 4954 §3)', () => {
  const offer = (more: DialogueOptions) =>
    new Dialogue(more)
      .say('EHLO c')
      .find((line) => line.slice(4).startsWith('AUTH'))
      ?.slice(4);

  it('is nothing without TLS, unless one says so', () => {
    expect(offer({ authentication: {} })).toBeUndefined();
    expect(offer({ authentication: { allowInsecure: true } })).toBe(
      'AUTH SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN',
    );
    expect(offer({ authentication: { allowInsecure: true, mechanisms: ['EXTERNAL', 'PLAIN'] } })).toBe(
      'AUTH PLAIN',
    );
  });

  it('is EXTERNAL only to a client that showed a certificate', () => {
    const authentication = { mechanisms: ['EXTERNAL'] } as const;
    expect(offer({ authentication, tls: EXPORTER })).toBeUndefined();
    expect(offer({ authentication, tls: CERTIFIED })).toBe('AUTH EXTERNAL');
  });

  it('stays when somebody is authenticated, and with it the parameter of MAIL (RFC 4954 §5)', () => {
    const dialogue = start();
    dialogue.say(GOOD);
    expect(dialogue.say('EHLO c').join()).toContain('AUTH ');
    expect(dialogue.session.identity?.username).toBe('u');
    expect(dialogue.say(GOOD)).toEqual(['503 5.5.1 Authenticated already']);
    expect(dialogue.say('MAIL FROM:<a@b> AUTH=<>')).toEqual(['250 2.1.0 Sender OK']);
  });
});

describe('challenges and responses (RFC 4954 §4)', () => {
  it('asks for the response where none came, by an empty challenge', () => {
    expect(start().say('AUTH PLAIN')).toEqual(['334 ']);
    expect(start().say('auth login')).toEqual([`334 ${base64('Username:')}`]);
    expect(start().say(`AUTH LOGIN ${base64('u')}`, base64('p'))).toEqual([
      `334 ${base64('Password:')}`,
      SUCCEEDED,
    ]);
  });

  it('takes "=" for an empty initial response', () => {
    expect(start().say('AUTH EXTERNAL =')).toEqual([SUCCEEDED]);
    expect(start().say('AUTH PLAIN =')).toEqual([MALFORMED]);
  });

  it('takes an empty line for an empty response', () => {
    expect(start().say('AUTH EXTERNAL', '')).toEqual(['334 ', SUCCEEDED]);
  });

  it('is cancelled by "*": 501', () => {
    const dialogue = start();
    expect(dialogue.say('AUTH PLAIN', '*', 'NOOP')).toEqual([
      '334 ',
      '501 5.7.0 Authentication cancelled',
      '250 2.0.0 OK',
    ]);
    expect(dialogue.asked).toEqual(['connect', 'hello']);
  });

  it.each(['x', 'AHUAcA', 'AHUAcA= ', ' AHUAcA==', 'AHUAcB==', '====', '=', '**', 'é', '\x01'])(
    'answers 501 to what is not base64: %j',
    (response) => {
      const dialogue = start();
      expect(dialogue.say('AUTH PLAIN', Buffer.from(response).toString('latin1'))[1]).toBe(NOT_BASE64);
      expect(dialogue.session.state).toBe('session.ready');
    },
  );

  it.each(['a\nb', 'AHUA\0cA==', 'AHUA\rcA=='])('answers 501 to a line that is none: %j', (response) => {
    const dialogue = start();
    expect(dialogue.say('AUTH PLAIN', response, 'NOOP').slice(1)).toEqual([NOT_BASE64, '250 2.0.0 OK']);
  });

  it('answers 501 to an initial response that is not base64, or that the mechanism does not take', () => {
    expect(start().say('AUTH PLAIN x')).toEqual([NOT_BASE64]);
    expect(start().say('AUTH CRAM-MD5 eA==')[0]).toMatch(/^501 5\.5\.4/);
    expect(start().say('AUTH CRAM-MD5 =')[0]).toMatch(/^501 5\.5\.4/);
    expect(start().say('AUTH PLAIN eA== eA==')[0]).toMatch(/^501 5\.5\.4/);
    expect(start().say('AUTH')[0]).toMatch(/^501 5\.5\.4/);
  });

  it('takes lines of 12288 octets, CRLF included, and answers 500 5.5.6 to longer ones (RFC 4954 §6)', () => {
    const response = (octets: number) => 'A'.repeat(octets - 2);
    // 12286 is no multiple of four, so that it is read, but no base64.
    const dialogue = start();
    expect(dialogue.say('AUTH PLAIN', response(12_288))[1]).toBe(NOT_BASE64);
    expect(dialogue.say('AUTH PLAIN', response(12_289), 'NOOP').slice(1)).toEqual([TOO_LONG, '250 2.0.0 OK']);
    const initial = (octets: number) => `AUTH PLAIN ${'A'.repeat(octets - 13)}`;
    expect(dialogue.say(initial(12_288))).toEqual([NOT_BASE64]);
    expect(dialogue.say(initial(12_289), 'NOOP')).toEqual([TOO_LONG, '250 2.0.0 OK']);
  });

  it('are never taken for commands, nor commands for them', () => {
    const dialogue = start();
    expect(dialogue.say('AUTH PLAIN', 'QUIT')[1]).toBe(MALFORMED); // base64, as it happens
    expect(dialogue.say('AUTH PLAIN', 'RSET x')[1]).toBe(NOT_BASE64);
    expect(dialogue.session.state).toBe('session.ready');
  });
});

describe('AUTH at the wrong time', () => {
  it.each<[string, string, DialogueOptions, string[]]>([
    ['502 where it is not configured', '502 5.5.1', { tls: TLS }, ['EHLO c', GOOD]],
    ['502 where its extension is not listed', '502 5.5.1', { ...options, extensions: [] }, ['EHLO c', GOOD]],
    ['503 before EHLO', '503 5.5.1', options, [GOOD]],
    ['503 after HELO', '503 5.5.1', options, ['HELO c', GOOD]],
    ['503 a second time (RFC 4954 §4)', '503 5.5.1', options, ['EHLO c', GOOD, GOOD]],
    ['503 in a mail transaction (RFC 4954 §4)', '503 5.5.1', options, ['EHLO c', 'MAIL FROM:<a@b>', GOOD]],
    ['504 for a mechanism that nobody knows', '504 5.5.4', options, ['EHLO c', 'AUTH GSSAPI eA==']],
    [
      '504 for one that is not offered',
      '504 5.5.4',
      { ...options, authentication: { mechanisms: ['LOGIN'] } },
      ['EHLO c', GOOD],
    ],
    [
      '538 for one that needs TLS (RFC 4954 §6)',
      '538 5.7.11',
      { authentication: { mechanisms: ['PLAIN'] }, startTls: 'offered' },
      ['EHLO c', GOOD],
    ],
  ])('gets %s', (_, code, more, lines) => {
    const dialogue = new Dialogue(more);
    expect(dialogue.say(...lines).at(-1)).toContain(`${code} `);
    expect(dialogue.asked.filter((kind) => kind === 'authenticate').length).toBeLessThanOrEqual(1);
    expect(dialogue.say('NOOP')).toEqual(['250 2.0.0 OK']);
  });

  it('does not end the mail transaction that it is refused in', () => {
    const dialogue = start();
    dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<c@d>', GOOD);
    expect(dialogue.session.state).toBe('session.transaction.addressed');
  });
});

describe('required authentication (RFC 4954 §6, RFC 6409 §4.3)', () => {
  const REQUIRED = '530 5.7.0 Authentication required';
  const required = { ...options, authentication: { mechanisms: ALL, required: true } };

  it.each(['MAIL FROM:<a@b>', 'VRFY x', 'EXPN x'])('answers 530 to %s before it', (line) => {
    const dialogue = new Dialogue(required).ready();
    expect(dialogue.say(line)).toEqual([REQUIRED]);
    dialogue.say(GOOD);
    expect(dialogue.say(line)[0]).toMatch(/^2/);
  });

  it.each(['EHLO c', 'HELO c', 'NOOP', 'RSET', 'HELP', 'QUIT'])('serves %s before it', (line) => {
    expect(new Dialogue(required).ready().say(line)[0]).toMatch(/^2/);
  });

  it('counts one error of a client that pipelines behind MAIL (RFC 2920 §3.1)', () => {
    const dialogue = new Dialogue({ ...required, maximumErrors: 2 }).ready();
    expect(
      dialogue
        .say('MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'RCPT TO:<c@d>', 'DATA')
        .map((line) => line.slice(0, 3)),
    ).toEqual(['530', '503', '503', '503']);
  });
});

describe('failures', () => {
  const WRONG = `AUTH PLAIN ${base64('\0u\0wrong')}`;
  const TOO_MANY = '421 4.7.0 Too many failed authentications, closing the session';

  it('end the session by 421 when there are too many (RFC 4954 §9)', () => {
    const dialogue = start();
    expect(dialogue.say(WRONG, WRONG)).toEqual([FAILED, FAILED]);
    expect(dialogue.say(WRONG)).toEqual([TOO_MANY]);
    expect(dialogue.session.state).toBe('closing');
  });

  it('are not forgotten by what succeeds in between', () => {
    const dialogue = start({ authentication: { mechanisms: ALL, maximumFailures: 2 } });
    dialogue.say(WRONG, 'NOOP', 'RSET', 'EHLO c', 'MAIL FROM:<a@b>', 'RSET');
    expect(dialogue.say(WRONG)).toEqual([TOO_MANY]);
  });

  const token = (name: MechanismName, secret: string) => {
    const text = name === 'XOAUTH2' ? `user=u\x01auth=Bearer ${secret}` : `n,a=u,\x01auth=Bearer ${secret}`;
    return `AUTH ${name} ${base64(`${text}\x01\x01`)}`;
  };

  it.each(
    (['XOAUTH2', 'OAUTHBEARER'] as const).flatMap((name) =>
      ['*', base64('\x01'), '', 'no base64', 'a\nb', 'x'.repeat(13_000), 'QUIT'].map(
        (response) => [name, response] as const,
      ),
    ),
  )(
    'count when the token was judged, whatever the client says then: %s, %j (RFC 4954 §9)',
    (name, response) => {
      const dialogue = start();
      expect(dialogue.say(token(name, 't'), 'EHLO c')[0]).toBe(SUCCEEDED);
      const other = start();
      for (const reply of [FAILED, FAILED, TOO_MANY]) {
        expect(other.say(token(name, 'wrong'), response).slice(1)).toEqual([reply]);
        other.say('NOOP');
      }
      expect(other.session.state).toBe('closing');
      expect(other.asked.filter((kind) => kind === 'authenticate')).toHaveLength(3);
    },
  );

  it.each(['XOAUTH2', 'OAUTHBEARER'] as const)(
    'of the service to judge a token are 454 at once, and say nothing of the token: %s (RFC 4954 §6)',
    (name) => {
      const reply = { code: 454, enhancedCode: '4.7.0', lines: ['The directory is down'] };
      const dialogue = start({ application: answering({ authenticate: { decision: 'reject', reply } }) });
      for (let count = 0; count < 5; count++) {
        expect(dialogue.say(token(name, 't'))).toEqual(['454 4.7.0 The directory is down']);
      }
    },
  );

  it.each<[string, string[]]>([
    ['malformed initial responses', ['AUTH PLAIN eA==']],
    ['malformed responses', ['AUTH PLAIN', 'eA==']],
    ['responses that are not base64', ['AUTH PLAIN', 'x']],
    ['cancelled exchanges', ['AUTH PLAIN', '*']],
    ['unknown mechanisms', ['AUTH X']],
  ])('that the application is not asked about are errors: %s', (_, lines) => {
    const dialogue = start({ maximumErrors: 3 });
    dialogue.say(...lines, ...lines);
    expect(dialogue.session.state).toBe('session.ready');
    expect(dialogue.say(...lines).at(-1)).toBe('421 4.7.0 Too many errors in a row, closing the session');
  });

  it('are no errors of the service, such as 454 by the application (RFC 4954 §6)', () => {
    const reply = { code: 454, enhancedCode: '4.7.0', lines: ['The directory is down'] };
    const unable: Answer = { decision: 'reject', reply };
    const dialogue = start({ application: answering({ authenticate: unable, credentials: unable }) });
    for (let count = 0; count < 5; count++) {
      expect(dialogue.say(GOOD)).toEqual(['454 4.7.0 The directory is down']);
      const first = authenticate(dialogue, 'SCRAM-SHA-256', passwordOf('u', 'p'));
      expect(first).toEqual(['454 4.7.0 The directory is down']);
      const bearer = authenticate(dialogue, 'OAUTHBEARER', tokenOf('u', 't'));
      expect(bearer).toEqual(['454 4.7.0 The directory is down']);
    }
    expect(dialogue.session.state).toBe('session.ready');
  });

  it('of the host to compute are 454', () => {
    const dialogue = start({ compute: () => undefined });
    for (let count = 0; count < 5; count++) {
      expect(dialogue.say('AUTH CRAM-MD5')).toEqual([
        '454 4.7.0 Temporary authentication failure; try again later',
      ]);
    }
    expect(dialogue.say(GOOD)).toEqual([SUCCEEDED]);
  });

  it('may be told in other words, and so may success', () => {
    const say = (decision: Answer['decision'], code: number, text: string): Answer => ({
      decision,
      reply: { code, lines: [text] },
    });
    const answers = [say('reject', 535, 'Locked'), say('accept', 235, 'Welcome')];
    const dialogue = start({
      application: (question) => (question.kind === 'authenticate' ? answers.shift() : accounts(question)),
    });
    expect(authenticate(dialogue, 'SCRAM-SHA-256', passwordOf('u', 'p'))).toEqual(['535 5.0.0 Locked']);
    expect(authenticate(dialogue, 'SCRAM-SHA-256', passwordOf('u', 'p'))).toEqual(['235 2.0.0 Welcome']);
  });

  it('may end the session by 421', () => {
    for (const application of [answering({ authenticate: hangUp }), answering({ credentials: hangUp })]) {
      const dialogue = start({ application });
      expect(
        dialogue.say(application === accounts ? GOOD : `AUTH SCRAM-SHA-1 ${base64('n,,n=u,r=x')}`).length,
      ).toBe(1);
      if (dialogue.session.state !== 'closing') dialogue.say('*', GOOD);
      expect(dialogue.session.state).toBe('closing');
      expect(dialogue.replies.at(-1)).toBe('421 4.3.2 Not now');
    }
  });

  it('do not pass for success by the words of an answer', () => {
    // The reply to `credentials` is for success; the proof is wrong.
    const credentials: StoredCredentials = stored('p');
    const welcome: Answer = { decision: 'accept', credentials, reply: { code: 235, lines: ['Welcome'] } };
    const dialogue = start({ application: answering({ credentials: welcome }) });
    expect(authenticate(dialogue, 'CRAM-MD5', passwordOf('u', 'wrong'))).toEqual([FAILED]);
  });
});

describe('the answers', () => {
  it('to credentials need credentials, to accept', () => {
    const dialogue = start({ application: answering({ credentials: undefined }) });
    dialogue.say(`AUTH SCRAM-SHA-256 ${base64('n,,n=u,r=x')}`);
    expect(dialogue.session.question).toEqual({
      kind: 'credentials',
      mechanism: 'SCRAM-SHA-256',
      username: 'u',
    });
    expect(() => dialogue.answer(accept)).toThrow(LocalProtocolError);
    expect(dialogue.answer({ decision: 'accept', credentials: stored('p') })[0]).toMatch(/^334 /);
  });

  it('to an attempt are 235 and no other code', () => {
    const dialogue = start({ application: answering({ authenticate: undefined }) });
    dialogue.say(GOOD);
    const reply = { code: 250, lines: ['OK'] };
    expect(() => dialogue.answer({ decision: 'accept', reply })).toThrow(LocalProtocolError);
    expect(dialogue.answer(accept)).toEqual([SUCCEEDED]);
  });
});

describe('a mechanism of two factors', () => {
  /** It asks about each, and believes the last answer. */
  const twice: ServerMechanism = {
    name: 'TWICE',
    clientFirst: false,
    *begin() {
      let judgement: unknown;
      for (const name of ['password', 'code']) {
        judgement = yield { type: 'verify', attempt: { mechanism: 'own', name, username: 'u' } };
      }
      const { accepted } = judgement as Judgement;
      return accepted ? { type: 'success' } : { type: 'failure', reason: 'refused' };
    },
  };

  it.each([
    [[accept, accept], SUCCEEDED],
    [[accept, reject], FAILED],
    [[reject, accept], SUCCEEDED],
    [[reject, reject], FAILED],
  ])('hears of the second what was said of the second: %j', (answers, reply) => {
    const left = [...answers];
    const application = answering();
    const dialogue = start({
      authentication: { mechanisms: [twice], allowInsecure: true },
      application: (question) => (question.kind === 'authenticate' ? left.shift() : application(question)),
    });
    expect(dialogue.say('AUTH TWICE')).toEqual([reply]);
  });
});

describe('a computation', () => {
  const computing = (timeouts = {}) => {
    const dialogue = start({ compute: null, timeouts });
    dialogue.say('AUTH CRAM-MD5');
    return dialogue;
  };

  it('is asked of the host, and nothing more is looked at before it is there', () => {
    const dialogue = computing();
    expect(dialogue.outputs.at(-1)).toEqual({ type: 'compute', computation: { kind: 'random', octets: 16 } });
    expect(dialogue.session.wantsInput).toBe(false);
    expect(dialogue.say('*')).toEqual([]);
    dialogue.handle({ type: 'computed', result: new Uint8Array(16) });
    expect(dialogue.replies.slice(-2)).toEqual([
      `334 ${base64('<0.0@s.example>')}`,
      '501 5.7.0 Authentication cancelled',
    ]);
    expect(dialogue.session.wantsInput).toBe(true);
  });

  it('has its deadline', () => {
    const dialogue = computing({ decision: 100 });
    expect(dialogue.timeoutAt(99)).toEqual([]);
    expect(typesOf(dialogue.timeoutAt(100))).toEqual(['write', 'close']);
    expect(dialogue.replies.at(-1)).toMatch(/^421 4\.3\.0/);
  });

  it('that comes when the session has given up counts for nothing', () => {
    const dialogue = computing({ decision: 100 });
    expect(dialogue.session.wantsComputed).toBe(true);
    dialogue.timeoutAt(100);
    expect(dialogue.session.wantsComputed).toBe(false);
    expect(dialogue.handle({ type: 'computed', result: new Uint8Array(16) })).toEqual([]);
    expect(dialogue.handle({ type: 'computed', result: undefined })).toEqual([]);
    expect(dialogue.session.state).toBe('closing');
  });

  it('holds as much of the client as a decision does, and no more', () => {
    const dialogue = start({ compute: null, maximumHeldOctets: 5 });
    dialogue.say('AUTH CRAM-MD5');
    dialogue.octets('12345');
    expect(() => dialogue.octets('6')).toThrow('allowed there: computed, lost, timeout');
  });

  it.each(['eof', 'shutdown'] as const)('is waited for: %s', (type) => {
    const dialogue = computing();
    expect(dialogue.handle({ type })).toEqual([]);
    const outputs = typesOf(dialogue.handle({ type: 'computed', result: new Uint8Array(16) }));
    expect(outputs).toEqual(['write', type === 'eof' ? 'closed' : 'close']);
  });
});

describe('the parameter AUTH of MAIL (RFC 4954 §5)', () => {
  it('says who submitted the message first', () => {
    const dialogue = start();
    dialogue.say(GOOD, 'MAIL FROM:<a@b> AUTH=e+3Dmc2@example.com');
    expect(dialogue.questions.at(-1)).toMatchObject({
      parameters: { auth: { localPart: 'e=mc2', domain: 'example.com' } },
    });
    dialogue.say('RSET', 'MAIL FROM:<a@b> AUTH=<>');
    expect(dialogue.questions.at(-1)).toMatchObject({ parameters: { auth: null } });
    dialogue.say('RSET');
    dialogue.say('MAIL FROM:<a@b> AUTH=no-mailbox');
    expect(dialogue.questions.at(-1)).toMatchObject({ parameters: { auth: null } });
    dialogue.say('RSET');
    expect(dialogue.say('MAIL FROM:<a@b> AUTH=a+zz@b')[0]).toMatch(/^501 5\.5\.4/);
  });

  it('is refused where AUTH was not offered', () => {
    expect(new Dialogue().ready().say('MAIL FROM:<a@b> AUTH=<>')[0]).toMatch(/^555 5\.5\.4/);
  });
});

describe('what was decided on an AUTH exchange', () => {
  const decisions = (dialogue: Dialogue) =>
    dialogue.outputs.flatMap((output) => (output.type === 'authenticationDecided' ? [output.decision] : []));
  const later = { code: 454, enhancedCode: '4.7.0', lines: ['Later'] };

  it.each<[string, Answer, object]>([
    ['accepted', accept, { outcome: 'accepted', identity: { authenticatedAs: 'ann', username: 'ann' } }],
    ['refused', reject, { outcome: 'refused' }],
    ['unavailable', { decision: 'reject', reply: later }, { outcome: 'unavailable' }],
  ])('comes with the mechanism and who it was: %s', (_, answer, decided) => {
    const dialogue = new Dialogue({
      authentication: { allowInsecure: true },
      application: answering({ authenticate: answer }),
    }).ready();
    dialogue.say(`AUTH PLAIN ${base64('\0ann\0pencil')}`);
    expect(decisions(dialogue)).toMatchObject([{ mechanism: 'PLAIN', username: 'ann', ...decided }]);
  });

  it.each(['*', '====', 'QUIT'])('does not come where nothing was: %j', (line) => {
    const dialogue = new Dialogue({ authentication: { allowInsecure: true } }).ready();
    dialogue.say('AUTH PLAIN', line);
    expect(decisions(dialogue)).toEqual([]);
  });
});

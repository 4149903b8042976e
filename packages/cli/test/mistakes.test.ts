/**
 * What a program in JavaScript does wrong, and what it is told: the error names the mistake, and is none of the engine's.
 */
import { PassThrough } from 'node:stream';
import {
  ClientSession,
  deliverBy,
  describeChart,
  futureRelease,
  limits,
  mtPriority,
  noSoliciting,
  readEnvelope,
  Secret,
  ServerSession,
  scramKeys,
} from '@sansmtp/core';
import {
  createMailer,
  createResolver,
  findRoute,
  findStsPolicy,
  nextAttempt,
  openMaildir,
  refreshStsPolicies,
  sansmtpTransport,
  writeDeliveryStatusNotification,
} from '@sansmtp/delivery';
import {
  type ClientConnection,
  failureLimiter,
  openSession,
  passwordUsers,
  Rejection,
  serveSession,
} from '@sansmtp/transport';
import { createMemoryPair, createVirtualClock } from '@sansmtp/transport-memory';
import {
  connect,
  createTlsContext,
  duplexOf,
  listen,
  proxiedAcceptor,
  startMailServer,
  streamOf,
  systemClock,
  trustedPeers,
} from '@sansmtp/transport-node';
import { webStream } from '@sansmtp/transport-web';
import { describe, expect, it } from 'vitest';

/** JavaScript: no type is looked at. */
// biome-ignore lint/suspicious/noExplicitAny: what is tested is what the compiler would refuse
type Unchecked = (...given: any[]) => any;
const js = (callee: unknown): Unchecked => callee as Unchecked;

const onMessage = () => {};
const onAuth = () => true;
const handlers = { onMessage };
const port = 0;
const addresses = [{ port }];
const context = { secureContext: {} };
const serve = (options: unknown) => js(startMailServer)(options);
const at = (address: object, more: object = {}) =>
  serve({ addresses: [{ port, ...address }], handlers, ...more });
const mailer = (options: unknown) => js(createMailer)(options);
const relay = { host: '192.0.2.1' };
const resolver = { resolveMx: async () => ({ kind: 'found', records: [{ exchange: 'mx', preference: 1 }] }) };
const mailbox = { localPart: 'ann', domain: 'b.example' };
const credentials = { kind: 'password', username: 'ann', password: new Secret('pencil') };

/** A session with a server in memory, for one that has to be open. */
async function withSession(use: (session: ClientConnection) => unknown): Promise<unknown> {
  const [near, far] = createMemoryPair();
  serveSession(far, handlers, { clock: systemClock });
  const session = await openSession(near, { clock: systemClock });
  try {
    return await use(session);
  } finally {
    await session.quit();
  }
}

const send = (envelope: unknown, message: unknown = 'Hello\n') =>
  withSession((session) => js(session.send.bind(session))(envelope, message));

type Mistake = readonly [string, () => unknown, string];

const serving: Mistake[] = [
  ['no options', () => serve(undefined), 'The options are missing; give an object: { addresses'],
  ['null for options', () => serve(null), 'The options are null; give an object'],
  [
    'an observer of a kind of event that is none',
    () => serve({ addresses, handlers, observer: { mesage() {} } }),
    'The kind of event observer.mesage is not known: did you mean observer.message?',
  ],
  [
    'an observer that is a text',
    () => serve({ addresses, handlers, observer: 'log' }),
    'The option observer is a string; it takes a function, or an object',
  ],
  [
    'an observer without a function',
    () => serve({ addresses, handlers, observer: { message: true } }),
    'The option observer.message is a boolean; it takes a function',
  ],
  ['no addresses', () => serve({ handlers }), 'The option addresses is missing'],
  ['an empty list of addresses', () => serve({ addresses: [], handlers }), 'The option addresses is empty'],
  [
    'one address for a list',
    () => serve({ addresses: { port }, handlers }),
    'The option addresses is no list',
  ],
  [
    'an address that is undefined',
    () => serve({ addresses: [undefined], handlers }),
    'addresses[0] is missing',
  ],
  [
    'an address that is a number',
    () => serve({ addresses: [25], handlers }),
    'addresses[0] is 25; give an object',
  ],
  ['a misspelt option', () => serve({ adresses: addresses, handlers }), 'did you mean addresses?'],
  ['a misspelt limit', () => at({}, { maximumConnection: 5 }), 'did you mean maximumConnections?'],
  [
    'a misspelt option of an address',
    () => at({ prot: 25 }),
    'addresses[0].prot is not known: did you mean addresses[0].port?',
  ],
  [
    'neither a port nor a path',
    () => serve({ addresses: [{ host: '::1' }], handlers }),
    'addresses[0].port is missing',
  ],
  [
    'a port and a path',
    () => at({ path: '/tmp/s' }),
    'addresses[0].port and addresses[0].path exclude each other',
  ],
  [
    'a port in text',
    () => at({ port: '2525' }),
    'addresses[0].port is "2525"; it takes an integer of 0 to 65535',
  ],
  ['a port that is none', () => at({ port: 65_536 }), 'addresses[0].port is 65536'],
  ['a port from an unset variable', () => at({ port: Number(undefined) }), 'addresses[0].port is NaN'],
  ['an empty host', () => at({ host: '' }), 'addresses[0].host is ""; it takes a text that is not empty'],
  ['an empty path', () => serve({ addresses: [{ path: '' }], handlers }), 'addresses[0].path is ""'],
  ['no handlers', () => serve({ addresses }), 'The handlers are missing'],
  ['no onMessage', () => serve({ addresses, handlers: {} }), 'The handler onMessage is missing'],
  ['a misspelt handler', () => at({}, { handlers: { onMessage, onRcpTo() {} } }), 'did you mean onRcptTo?'],
  ['a handler that is a text', () => at({}, { handlers: { onMessage: 'store' } }), 'onMessage is a string'],
  [
    'a misspelt option of a session',
    () => at({}, { session: { hostName: 'mx.example' } }),
    'did you mean hostname?',
  ],
  [
    'a session with a clock of its own',
    () => at({ session: { clock: systemClock } }),
    'addresses[0].session.clock',
  ],
  [
    'a limit in text',
    () => at({}, { session: { maximumMessageSize: '10M' } }),
    'maximumMessageSize is "10M"',
  ],
  [
    'a misspelt time-out',
    () => at({}, { session: { timeouts: { idel: 1 } } }),
    'did you mean timeouts.idle?',
  ],
  ['extensions that are no list', () => at({}, { session: { extensions: {} } }), 'The option extensions is'],
  [
    'an extension that is undefined',
    () => at({}, { session: { extensions: [undefined] } }),
    'extensions[0] is undefined',
  ],
  [
    'a list of trusted peers in text',
    () => at({}, { trusted: '192.0.2.1' }),
    "give a list, such as ['192.0.2.1', 'unix']",
  ],
  [
    'STARTTLS required, and no certificate',
    () => at({}, { session: { startTls: 'required' } }),
    'STARTTLS is required at addresses[0], which has no certificate: give it tls',
  ],
  [
    'STARTTLS offered, and no certificate',
    () => at({ session: { startTls: 'offered' } }),
    'STARTTLS is offered at addresses[0], which has no certificate',
  ],
  [
    'authentication required, and no TLS',
    () => at({}, { session: { authentication: { required: true } }, handlers: { onMessage, onAuth } }),
    'Authentication is required at addresses[0], which has no TLS: give it tls',
  ],
  [
    'authentication offered, and no TLS',
    () => at({}, { session: { authentication: {} }, handlers: { onMessage, onAuth } }),
    'Authentication is offered at addresses[0], which has no TLS',
  ],
  [
    'authentication, and nobody to decide',
    () => at({}, { session: { authentication: { allowInsecure: true } } }),
    'the handler onAuth, which decides on it, is missing',
  ],
  [
    'SCRAM, and no credentials',
    () =>
      at(
        {},
        {
          session: { authentication: { allowInsecure: true, mechanisms: ['SCRAM-SHA-256'] } },
          handlers: { onMessage, onAuth },
        },
      ),
    'the handler onCredentials, which these need, is missing',
  ],
  [
    'a mechanism that is none',
    () => at({}, { session: { authentication: { mechanisms: ['SCRAM'] } } }),
    'authentication.mechanisms is "SCRAM"',
  ],
  [
    'a text for yes or no, which would let passwords pass in the clear',
    () => at({}, { session: { authentication: { allowInsecure: 'false' } } }),
    'authentication.allowInsecure is "false"; it takes true or false',
  ],
  ['a text for yes or no', () => at({}, { session: { lenient: 'no' } }), 'lenient is "no"; it takes true or'],
  [
    'a number for yes or no',
    () => at({ tls: { mode: 'implicit', context, requestClientCertificate: 1 } }),
    'tls.requestClientCertificate is 1; it takes true or false',
  ],
  [
    'a mode of TLS that is none',
    () => at({ tls: { mode: 'starttls', context } }),
    "tls.mode is \"starttls\"; it takes 'implicit' or 'startTls'",
  ],
  [
    'a certificate in the place of a context',
    () => at({ tls: { mode: 'startTls', cert: '', key: '' } }),
    'tls.cert is not known',
  ],
  [
    'TLS without a context',
    () => at({ tls: { mode: 'startTls' } }),
    'tls.context is missing: createTlsContext() makes one',
  ],
  ['null for TLS', () => at({ tls: null }), 'tls is null'],
  [
    'a list of proxies for a function',
    () => at({ proxied: { isTrusted: ['192.0.2.1'] } }),
    'proxied.isTrusted is a list; trustedPeers',
  ],
  [
    'last words in text',
    () => at({ proxied: { isTrusted: onAuth, lastWords: 'Bye' } }),
    'proxied.lastWords is a string; it takes a Uint8Array',
  ],
  [
    'a clock that is none',
    () => at({ proxied: { isTrusted: onAuth, clock: Date } }),
    'proxied.clock is no clock',
  ],
  [
    'an observer that is none',
    () => at({}, { observer: {} }),
    'The option observer is an object without any of its functions',
  ],
  ['an onExcess that is none', () => at({}, { onExcess: true }), 'The option onExcess is a boolean'],
  ['an onError that is none', () => at({ onError: console }), 'addresses[0].onError is an object'],
  [
    'a limiter that is none',
    () => at({}, { session: { failureLimiter: failureLimiter } }),
    'failureLimiter takes an object with isClosed() and failed()',
  ],
  [
    'cryptography that is none',
    () => at({}, { session: { cryptography: globalThis.crypto } }),
    'cryptography takes an object with compute()',
  ],
  ['null for PROXY', () => at({ proxied: null }), 'proxied is null'],
  ['listen() without a function', () => js(listen)({ port }), 'onStream is missing'],
  [
    'listen() with a label',
    () => js(listen)({ port, label: 'mx' }, onMessage),
    'The option label is not known',
  ],
  [
    'a stream that is null',
    () => js(serveSession)(null, handlers, { clock: systemClock }),
    'The stream is null',
  ],
  [
    'a socket for a stream',
    () => js(serveSession)(new PassThrough(), handlers, { clock: systemClock }),
    'which streamOf() makes',
  ],
  [
    'a session without options',
    () => js(serveSession)(createMemoryPair()[0], handlers),
    'The option clock is missing',
  ],
  [
    'a session without a clock',
    () => js(serveSession)(createMemoryPair()[0], handlers, {}),
    'The option clock is missing',
  ],
  [
    'a core session without options',
    () => new (ServerSession as never as new () => unknown)(),
    'The options are missing',
  ],
  [
    'a core session without the time',
    () => new (ServerSession as never as new (o: object) => unknown)({}),
    'The option now is undefined',
  ],
];

const nested: Mistake[] = [
  ['a label that is a number', () => at({ label: 25 }), 'addresses[0].label is a number; it takes a text'],
  ['a session that is a list', () => at({}, { session: [] }), 'The option session is a list; give an object'],
  ['a session that is true', () => at({ session: true }), 'addresses[0].session is true; give an object'],
  ['time-outs that are a list', () => at({}, { session: { timeouts: [] } }), 'timeouts is a list'],
  [
    'authentication that is false',
    () => at({}, { session: { authentication: false } }),
    'authentication is false; give an object: { mechanisms',
  ],
  [
    'a misspelt time-out that each address replaces',
    () => at({ session: { timeouts: {} } }, { session: { timeouts: { idel: 1 } } }),
    'did you mean timeouts.idle?',
  ],
  [
    'a misspelt handler that each address replaces',
    () => at({ handlers }, { handlers: { onMessage, onRcpTo() {} } }),
    'did you mean onRcptTo?',
  ],
  [
    'null for contexts',
    () => at({ tls: { mode: 'startTls', context, contexts: null } }),
    'tls.contexts is null; it takes contexts by name, or a function',
  ],
];

const sending: Mistake[] = [
  ['no envelope', () => send(undefined), 'The envelope is undefined; it takes from and to'],
  [
    'an envelope in text',
    () => send('ann@example.org'),
    'The envelope is ann@example.org; it takes from and to',
  ],
  [
    'a misspelt property',
    () => js(readEnvelope)({ form: 'a@b.example', to: 'c@d.example' }),
    'did you mean from?',
  ],
  [
    'a sender that nobody set',
    () => js(readEnvelope)({ from: undefined, to: 'c@d.example' }),
    'The reverse-path is missing',
  ],
  [
    'an empty sender',
    () => js(readEnvelope)({ from: '', to: 'c@d.example' }),
    "or null or '<>' for the null reverse-path",
  ],
  [
    'an empty list of recipients',
    () => js(readEnvelope)({ from: null, to: [] }),
    'The envelope has no recipient',
  ],
  [
    'a display name',
    () => js(readEnvelope)({ from: null, to: 'Ann <ann@b.example>' }),
    '"Ann <ann@b.example>" is no mailbox',
  ],
  [
    'a misspelt parameter of MAIL',
    () => js(readEnvelope)({ from: null, to: 'a@b.example', parameters: { requireTLS: true } }),
    'parameters.requireTLS is not known: did you mean parameters.requireTls?',
  ],
  [
    'a misspelt parameter of MAIL in an envelope as received',
    () => js(readEnvelope)({ reversePath: null, recipients: [mailbox], parameters: { smtputf8: true } }),
    'did you mean parameters.smtpUtf8?',
  ],
  [
    'a misspelt parameter of RCPT',
    () => js(readEnvelope)({ from: null, to: [{ ...mailbox, parameters: { notfy: 'NEVER' } }] }),
    'did you mean parameters.notify?',
  ],
  [
    "a misspelt option of a session's send()",
    () =>
      withSession((session) =>
        js(session.send.bind(session))({ from: null, to: 'a@b.example' }, '', { sinal: 1 }),
      ),
    'did you mean signal?',
  ],
  [
    'a signal that is none',
    () => js(openSession)(createMemoryPair()[0], { clock: systemClock, signal: 5 }),
    'The option signal takes an AbortSignal',
  ],
  [
    'a signal of connect() that is none',
    () => js(connect)({ ...relay, port: 25, signal: {} }),
    'takes an AbortSignal',
  ],
  [
    'a signal of a mailer that is none',
    () => js(createMailer({ relay }).send)({ from: null, to: 'a@b.example' }, '', { signal: 'x' }),
    'takes an AbortSignal',
  ],
  [
    'a misspelt field of credentials',
    () =>
      mailer({
        relay,
        authentication: { credentials: { kind: 'token', user: 'ann', token: new Secret('x') } },
      }),
    'authentication.credentials.user is not known: did you mean authentication.credentials.username?',
  ],
  [
    'a stream for openStream',
    () => mailer({ openStream: {} }),
    'The option openStream is an object; it takes a function',
  ],
  [
    'a session of a mailer in text',
    () => mailer({ session: 'x' }),
    'The option session is "x"; give an object',
  ],
  ['no message', () => send({ from: null, to: 'a@b.example' }, null), 'The message is null; it takes a text'],
  [
    'a message that is a number',
    () => send({ from: null, to: 'a@b.example' }, 4711),
    'The message is a number; it takes a text',
  ],
  [
    'a client without a stream',
    () => js(openSession)(undefined, { clock: systemClock }),
    'The stream is missing',
  ],
  ['a client without options', () => js(openSession)(createMemoryPair()[0]), 'The option clock is missing'],
  [
    'a misspelt option of a client',
    () => js(openSession)(createMemoryPair()[0], { clock: systemClock, starttls: 'required' }),
    'did you mean startTls?',
  ],
  [
    'a core client without options',
    () => new (ClientSession as never as new () => unknown)(),
    'The options are missing',
  ],
  ['connect() without options', () => js(connect)(), 'The options are missing; give an object: { host'],
  ['connect() to nowhere', () => js(connect)({ port: 25 }), 'The option host is missing'],
  [
    'connect() to undefined',
    () => js(connect)({ host: undefined, port: 25 }),
    'The option host is undefined',
  ],
  ['connect() without a port', () => js(connect)({ host: '127.0.0.1' }), 'The option port is undefined'],
  [
    'connect() to a port in text',
    () => js(connect)({ host: '127.0.0.1', port: '25' }),
    'The option port is "25"',
  ],
  ['connect() over null', () => js(connect)({ socket: null }), 'The socket is null'],
  [
    'connect() with TLS that verifies nothing unsaid',
    () => js(connect)({ ...relay, port: 25, tls: { mode: 'startTls' } }),
    'tls.verify is missing',
  ],
  [
    'connect() with an option of another library',
    () => js(connect)({ ...relay, port: 25, tls: { mode: 'startTls', rejectUnauthorized: true } }),
    'tls.rejectUnauthorized is not known',
  ],
  [
    'a certificate without its key',
    () => js(connect)({ ...relay, port: 25, tls: { mode: 'startTls', verify: true, cert: 'x' } }),
    'tls.cert and tls.key go together',
  ],
  ['null for a mailer', () => mailer(null), 'The options are null'],
  [
    "a mailer's observer of a server's events",
    () => mailer({ relay, observer: { decision() {} } }),
    'The kind of event observer.decision is not known',
  ],
  [
    'a relay in text',
    () => mailer({ relay: 'mail.example' }),
    'relay is "mail.example"; give an object: { host',
  ],
  ['a relay without a host', () => mailer({ relay: { port: 25 } }), 'relay.host is missing'],
  [
    'a relay whose host is undefined',
    () => mailer({ relay: { host: undefined } }),
    'relay.host is undefined',
  ],
  ['a relay whose port is a text', () => mailer({ relay: { ...relay, port: '25' } }), 'relay.port is "25"'],
  [
    'one domain for a list of them',
    () => js(refreshStsPolicies)('a.example', {}),
    'domains is "a.example"; it takes a list',
  ],
  [
    'a misspelt option of findRoute',
    () => js(findRoute)('a.example', resolver, { maximumHost: 1 }),
    'did you mean maximumHosts?',
  ],
  [
    'a name for a list',
    () => js(findRoute)('a.example', resolver, { ownNames: 'mx' }),
    'ownNames takes a list',
  ],
  [
    'addresses that are none',
    () => js(findRoute)('a.example', resolver, { ownAddresses: ['mx.example'] }),
    'ownAddresses takes a list of IP addresses',
  ],
  [
    'a port of a DNS server that is none',
    () => js(createResolver)({ server: '127.0.0.1:99999' }),
    'The port of the option server is 99999',
  ],
  ['a misspelt option of a mailer', () => mailer({ hostName: 'mx.example' }), 'did you mean hostname?'],
  [
    'a misspelt limit of the pool',
    () => mailer({ pool: { connectionPerHost: 1 } }),
    'did you mean pool.connectionsPerHost?',
  ],
  [
    'a misspelt option of the routing',
    () => mailer({ routing: { ownName: [] } }),
    'did you mean routing.ownNames?',
  ],
  [
    'a name for a list of names',
    () => mailer({ routing: { ownNames: 'mx.example' } }),
    'routing.ownNames is "mx.example"; it takes a list',
  ],
  [
    'an option of Node for TLS',
    () => mailer({ tlsOptions: { rejectUnauthorized: false } }),
    'tlsOptions.rejectUnauthorized is not known',
  ],
  [
    'a mailer with an old version of TLS',
    () => mailer({ relay, tlsOptions: { minVersion: 'TLSv1' } }),
    "minVersion is \"TLSv1\"; it takes 'TLSv1.2' or 'TLSv1.3'",
  ],
  [
    'authorities that are none',
    () => mailer({ relay, tlsOptions: { ca: '/etc/ssl/cert.pem' } }),
    'ca does not begin with a certificate in PEM',
  ],
  [
    'an observer of a mailer that is none',
    () => mailer({ observer: console }),
    'The option observer is an object without any of its functions',
  ],
  [
    'a callback of a session that is none',
    () => mailer({ session: { onWire: true } }),
    'The option onWire is a boolean; it takes a function',
  ],
  [
    'a mailer whose sessions say STARTTLS',
    () => mailer({ session: { startTls: 'required' } }),
    'session.startTls is not known: tls of the mailer says it',
  ],
  ['a mode of TLS for a mailer that is none', () => mailer({ tls: 'starttls' }), 'tls is "starttls"'],
  [
    'a text that would let a password pass in the clear',
    () => mailer({ relay, authentication: { credentials, allowInsecure: 'false' } }),
    'authentication.allowInsecure is "false"; it takes true or false',
  ],
  [
    'a text for whether to verify the server',
    () => mailer({ relay, tlsOptions: { verify: 'false' } }),
    'tlsOptions.verify is "false"; it takes true or false',
  ],
  [
    'a time for the handshake that is a text',
    () => mailer({ relay, tlsOptions: { handshakeTimeout: '5000' } }),
    'tlsOptions.handshakeTimeout is "5000"',
  ],
  [
    'a mechanism of a client that is none',
    () => mailer({ relay, authentication: { credentials, mechanisms: ['PLIAN'] } }),
    'authentication.mechanisms is "PLIAN"; it takes',
  ],
  [
    'a mechanism of a client in lower case',
    () => mailer({ relay, authentication: { credentials, mechanisms: ['plain'] } }),
    'authentication.mechanisms is "plain"; it takes',
  ],
  [
    'a port that OAUTHBEARER would tell, and that is none',
    () => mailer({ relay, authentication: { credentials, port: '465' } }),
    'authentication.port is "465"; it takes an integer of 1 to 65535',
  ],
  [
    'a host that would end a field of OAUTHBEARER',
    () => mailer({ relay, authentication: { credentials, host: 'mx\u0001auth=Bearer x' } }),
    'authentication.host is ',
  ],
  [
    'a password in the clear',
    () =>
      mailer({
        relay,
        authentication: { credentials: { kind: 'password', username: 'ann', password: 'pencil' } },
      }),
    'authentication.credentials.password takes a Secret',
  ],
  [
    'a mailer without a message',
    () => js(createMailer({ relay }).send)({ from: null, to: 'a@b.example' }),
    'The message is missing; give a text',
  ],
  [
    'a mailer with a recipient that is undefined',
    () => js(createMailer({ relay }).send)({ from: null, to: [undefined] }, ''),
    'The forward-path is missing',
  ],
  [
    'a misspelt option of send()',
    () => js(createMailer({ relay }).send)({ from: null, to: 'a@b.example' }, '', { timeout: 1 }),
    'The option timeout is not known: known are signal, deadline',
  ],
  [
    'an option of nodemailer',
    () => js(sansmtpTransport)({ host: '192.0.2.1' }),
    'The option host is not known',
  ],
  ['a deadline in text', () => js(sansmtpTransport)({ deadline: '1000' }), 'The option deadline is 1000'],
];

const rejection = (...given: unknown[]) => Reflect.construct(Rejection, given);

const others: Mistake[] = [
  [
    'a rejection whose code is a text',
    () => rejection('550', '5.7.1', 'No'),
    'The code of a Rejection is "550"',
  ],
  ['a rejection that accepts', () => rejection(250, '2.0.0', 'OK'), 'it takes an integer of 400 to 599'],
  [
    'a rejection without an enhanced code',
    () => rejection(550, 'No such mailbox'),
    "new Rejection(550, '5.1.1', 'No such mailbox here')",
  ],
  ['a Maildir without a path', () => js(openMaildir)(undefined), 'The path of the Maildir is missing'],
  [
    'a misspelt option of a Maildir',
    () => js(openMaildir)('/tmp/none', { host: 'mx' }),
    'did you mean hostname?',
  ],
  [
    'a Maildir whose host is null',
    () => js(openMaildir)('/tmp/none', { hostname: null }),
    'hostname is null',
  ],
  ['options that are a list', () => js(createMemoryPair)([]), 'The options are a list; give an object'],
  ['a pair with a clock that is none', () => js(createMemoryPair)({ clock: {} }), 'The option clock is none'],
  ['a clock whose settle is a number', () => js(createVirtualClock)({ settle: 5 }), 'settle is a number'],
  ['a list for a transport', () => js(sansmtpTransport)([]), 'The options are a list'],
  [
    'a resolver whose server is a list',
    () => js(createResolver)({ server: [] }),
    'takes ADDRESS or ADDRESS:PORT',
  ],
  ['no history', () => js(nextAttempt)(null), 'The delivery history is null; give an object'],
  [
    'a misspelt history',
    () => js(nextAttempt)({ firstTried: 0, attempts: 1, now: 0 }),
    'did you mean firstTriedAt?',
  ],
  [
    'a web stream whose startTls is true',
    () => js(webStream)(new TransformStream(), { startTls: true }),
    'The option startTls is a boolean; it takes a function',
  ],
  [
    'a web stream with the address of Deno',
    () => js(webStream)(new TransformStream(), { peer: { hostname: '192.0.2.1', port: 25 } }),
    'peer.hostname is not known: known are address, port',
  ],
  ['a misspelt option of a pair', () => js(createMemoryPair)({ chunksize: 1 }), 'did you mean chunkSize?'],
  ['a pair whose TLS has no mode', () => js(createMemoryPair)({ tls: {} }), 'tls.mode is undefined'],
  [
    'a pair that loses neither end',
    () => js(createMemoryPair)({ dropAfter: { server: 1 } }),
    'dropAfter.server is not known',
  ],
  [
    'a misspelt option of a clock',
    () => js(createVirtualClock)({ settled: onMessage }),
    'did you mean settle?',
  ],
  [
    'no look-up of users',
    () => js(passwordUsers)({ ann: 'pencil' }),
    'The look-up of users is an object; it takes a function',
  ],
  [
    'a misspelt option of users',
    () => js(passwordUsers)(onMessage, { iteration: 4096 }),
    'did you mean iterations?',
  ],
  [
    'a secret in text',
    () => js(passwordUsers)(onMessage, { secret: 'x' }),
    'The option secret takes a Secret',
  ],
  ['a misspelt option of a limiter', () => js(failureLimiter)({ pername: 3 }), 'did you mean perName?'],
  ['streamOf() of null', () => js(streamOf)(null), 'The socket is null; it takes a socket'],
  [
    'streamOf() with a mode',
    () => js(streamOf)(new PassThrough(), { mode: 'startTls' }),
    'The option mode is not known',
  ],
  ['duplexOf() of nothing', () => js(duplexOf)(), 'The stream is missing'],
  ['webStream() of nothing', () => js(webStream)(), 'The pair is missing; it takes { readable, writable }'],
  ['webStream() of a socket', () => js(webStream)(new PassThrough()), 'The pair is none'],
  [
    'a misspelt option of webStream()',
    () => js(webStream)({}, { starttls: onMessage }),
    'did you mean startTls?',
  ],
  ['a context without a certificate', () => js(createTlsContext)({}), 'The option cert is missing'],
  [
    'a context of file names that are not there',
    () => js(createTlsContext)({ certFile: 'c.pem', keyFile: 'k.pem' }),
    'The option certFile is not known',
  ],
  ['a proxy acceptor without options', () => js(proxiedAcceptor)(), 'proxied is missing'],
  ['a peer that is no address', () => js(trustedPeers)(['localhost']), '"localhost" is no peer to trust'],
  ['a chart that is none', () => js(describeChart)('srever'), 'srever'],
  ['a misspelt option of DELIVERBY', () => js(deliverBy)({ minimum: 1 }), 'did you mean minimumSeconds?'],
  ['FUTURERELEASE without bounds', () => js(futureRelease)(), 'The options are missing'],
  [
    'NO-SOLICITING without keywords',
    () => js(noSoliciting)({}),
    'The option keywords is undefined; it takes a list',
  ],
  ['a misspelt limit of LIMITS', () => js(limits)({ mailMax: 1 }), 'did you mean mailMaximum?'],
  ['a misspelt option of MT-PRIORITY', () => js(mtPriority)({ profil: 'MIXER' }), 'did you mean profile?'],
  [
    'keys of a password in text',
    () => js(scramKeys)({ hash: 'SHA-256', password: 'pencil', salt: new Uint8Array(16), iterations: 4096 }),
    'The option password takes a Secret',
  ],
  [
    'a misspelt option of a resolver',
    () => js(createResolver)({ servers: ['192.0.2.1'] }),
    'did you mean server?',
  ],
  [
    'a policy that nobody fetches',
    () => js(findStsPolicy)('b.example', { resolver: {}, cache: new Map(), now: 0 }),
    'fetchPolicy is missing',
  ],
  [
    'a misspelt retry schedule',
    () => js(nextAttempt)({ firstTriedAt: 0, attempts: 1, now: 0 }, { interval: [1] }),
    'did you mean intervals?',
  ],
  [
    'a notification about nothing',
    () => js(writeDeliveryStatusNotification)(),
    'The delivery status is missing; give an object',
  ],
  [
    'a notification without a date',
    () =>
      js(writeDeliveryStatusNotification)(
        { reversePath: null, parameters: {}, recipients: [{}] },
        { hostname: 'mx.example', id: 'x' },
      ),
    'The option date is missing',
  ],
];

/** What the engine, and Node, say of a mistake: names of our insides, or nothing of what to do. */
const RAW =
  /Cannot (?:read|destructure|set|use|convert)|is not (?:a function|iterable|a constructor|defined)|undefined is not|must be of type|ERR_|Invalid (?:array|argument)/;

/** The error that comes of it, thrown or rejected. */
async function errorOf(mistake: () => unknown): Promise<unknown> {
  try {
    await mistake();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}

describe.each([
  ['serves', serving],
  ['nests options', nested],
  ['sends', sending],
  ['does otherwise', others],
])('a mistake of a program that %s', (_, mistakes) => {
  it.each(mistakes)('%s', async (_name, mistake, message) => {
    const error = await errorOf(mistake);
    expect(error).toBeInstanceOf(Error);
    const { message: said } = error as Error;
    expect(said).toContain(message);
    expect(said).not.toMatch(RAW);
  });
});

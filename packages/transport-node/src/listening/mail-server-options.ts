/**
 * What a mail server is told, checked before it listens anywhere: names that are not known, and what cannot work.
 */
import { checkNames, checkObject, kindOf, namesOf } from '@sansmtp/core';
import { checkHandlers, checkServeOptions, type ServerHandlers } from '@sansmtp/transport';
import type { ConnectionLimiter } from './connection-limiter.js';
import { checkListenable, LISTEN_NAMES } from './listen.js';
import type { MailListenOptions, MailServerOptions, MailSessionOptions } from './mail-server.js';

const SERVER_NAMES = namesOf<MailServerOptions>({
  addresses: true,
  handlers: true,
  observer: true,
  session: true,
  trusted: true,
  maximumConnections: true,
  maximumConnectionsPerClient: true,
  connectionLimiter: true,
  maximumArriving: true,
  onExcess: true,
});

const ADDRESS_NAMES = [...LISTEN_NAMES, 'label', 'handlers', 'session'];

/** Options of a session that the server decides on. */
const OURS = ['clock', 'trusted', 'id', 'listener', 'observer'];

/**
 * @throws {TypeError} an option is not known; there is no address, or one with neither a port nor a path
 * @throws {RangeError} a port, host or path is none
 */
export function checkMailServerOptions<State>(options: MailServerOptions<State>): void {
  checkObject('The option', options, SERVER_NAMES);
  const { addresses, session } = options;
  checkFunctions(options, ['onExcess']);
  checkLimiter(options);
  if (!Array.isArray(addresses) || addresses.length === 0) {
    const given = addresses === undefined ? 'missing' : Array.isArray(addresses) ? 'empty' : 'no list';
    throw new TypeError(`The option addresses is ${given}; give one at least: [{ port: 25 }]`);
  }
  checkSession(session, 'session.');
  // Also where each address has its own, in whose place these then do not stand.
  if (session) checkServeOptions(session);
  if (options.handlers !== undefined) checkHandlers(options.handlers as ServerHandlers);
  for (const [place, address] of (addresses as readonly MailListenOptions[]).entries()) {
    const where = `addresses[${place}].`;
    checkObject('The option', address, ADDRESS_NAMES, where);
    checkListenable(address, where);
    checkFunctions(address, ['onError'], where);
    const label: unknown = address.label;
    if (label !== undefined && typeof label !== 'string') {
      throw new TypeError(`The option ${where}label is ${kindOf(label)}; it takes a text`);
    }
    checkSession(address.session, `${where}session.`);
  }
}

function checkLimiter({ connectionLimiter, maximumConnections }: MailServerOptions): void {
  if (connectionLimiter === undefined) return;
  const { enter, leave } = (connectionLimiter ?? {}) as Partial<ConnectionLimiter>;
  if (typeof enter !== 'function' || typeof leave !== 'function') {
    throw new TypeError('The option connectionLimiter takes an object with enter() and leave()');
  }
  if (maximumConnections !== undefined) {
    throw new TypeError(
      'The option maximumConnections is for a server without a connectionLimiter: give it to that',
    );
  }
}

function checkFunctions(options: object, names: readonly string[], where = ''): void {
  for (const name of names) {
    const given: unknown = Reflect.get(options, name);
    if (given === undefined || typeof given === 'function') continue;
    throw new TypeError(`The option ${where}${name} is ${kindOf(given)}; it takes a function`);
  }
}

function checkSession(session: MailSessionOptions | undefined, where: string): void {
  if (session === undefined || session === null) return;
  if (typeof session !== 'object' || Array.isArray(session)) {
    checkNames('The option', session, ['hostname', 'authentication', 'timeouts', '…'], where);
  }
  for (const name of OURS) {
    if (!(name in session)) continue;
    const help = name === 'listener' ? 'give the address a label' : 'it is the server that decides on it';
    throw new TypeError(`The option ${where}${name} is not known: ${help}`);
  }
}

/** A server's options as far as TLS and authentication depend on each other. */
interface Offered {
  readonly addresses: readonly MailListenOptions[];
  readonly session?: MailSessionOptions;
}

/**
 * Refuses what cannot work at an address. What is offered to all is left out where there is no TLS, as long as there is
 * any at another address.
 * @param place the address, among those of the server
 * @param merged the options of the sessions there
 * @throws {TypeError} STARTTLS without a certificate, authentication without TLS, or `secured` with TLS; the message says what to do
 */
export function checkTlsAt({ addresses }: Offered, place: number, merged: MailSessionOptions): void {
  const { tls, session } = addresses[place] as MailListenOptions;
  checkSecured(merged, addresses[place] as MailListenOptions);
  if (tls !== undefined || merged.secured) return;
  const { startTls = 'none', authentication } = merged;
  const where = `addresses[${place}]`;
  const isElsewhere = addresses.some((other) => other.tls !== undefined || other.session?.secured);
  if (
    startTls === 'required' ||
    (startTls === 'offered' && !(isElsewhere && session?.startTls === undefined))
  ) {
    throw new TypeError(
      `STARTTLS is ${startTls} at ${where}, which has no certificate: give it tls: { mode: 'startTls', context }, ` +
        "or session: { startTls: 'none' }",
    );
  }
  if (!authentication || authentication.allowInsecure || authentication.mechanisms?.length === 0) return;
  if (!authentication.required && isElsewhere && session?.authentication === undefined) return;
  throw new TypeError(
    `Authentication is ${authentication.required ? 'required' : 'offered'} at ${where}, which has no TLS: give it tls, ` +
      'or authentication: { allowInsecure: true } where nobody can listen to passwords',
  );
}

/** Where TLS was ended before, it cannot begin here; and who comes directly has none. */
function checkSecured({ secured = false }: MailSessionOptions, { tls, proxied }: MailListenOptions): void {
  if (secured === false) return;
  if (tls !== undefined) {
    throw new TypeError('The option secured says that TLS was ended before this address: leave its tls out');
  }
  if (proxied?.others === 'direct') {
    throw new TypeError(
      "The option secured would count those who connect directly, by proxied.others 'direct', as protected by TLS too: give each its own address",
    );
  }
}

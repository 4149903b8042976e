/**
 * Checks of what an application gives to a driver, which may not have been compiled: a handler whose name is misspelt
 * would never be called, and a clock that is missing would be found by the engine, in words of its own.
 */
import { checkNames, kindOf, namesOf, nearestName, type ServerAuthenticationOptions } from '@sansmtp/core';
import type { ServerHandlers } from './handlers/handlers.js';
import type { CancelSignal } from './sending/client-connection.js';
import type { ByteStream } from './streams/byte-stream.js';
import type { Clock } from './time/clock.js';

const HANDLER_NAMES = namesOf<ServerHandlers>({
  createState: true,
  onConnect: true,
  onSecure: true,
  onAuth: true,
  onAuthDecided: true,
  onCredentials: true,
  onHello: true,
  onMailFrom: true,
  onRcptTo: true,
  onData: true,
  onMessage: true,
  onVerify: true,
  onExpand: true,
  onHelp: true,
  onEtrn: true,
  onExtension: true,
  onClose: true,
  onError: true,
});

/**
 * The options without `tls`: those of a transport are at times spread into them, and its `tls` would pass for a
 * protected connection.
 */
export function withoutTls<Options extends object>(options: Options): Options {
  const { tls: _, ...others } = options as Options & { readonly tls?: unknown };
  return others as Options;
}

/** A server's handlers are the same for all of its sessions. */
const checked = new WeakSet<ServerHandlers>();

/** @throws {TypeError} there is none, or it is no clock */
export function checkClock(clock: Clock | undefined): void {
  const given = clock as Partial<Clock> | undefined | null;
  if (typeof given?.now === 'function' && typeof given.set === 'function') return;
  throw new TypeError(
    'The option clock is missing, or no clock: give systemClock of @sansmtp/transport-node, a VirtualClock, or ' +
      'an object with now() and set()',
  );
}

/**
 * Checks what a driver calls beside the handlers: it would otherwise be called in vain, at each event of each session.
 * @throws {TypeError} one is no function, or has not the functions that it needs
 */
export function checkCallees(options: object): void {
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of ['onTransition', 'onWire', 'onError', 'rephrase']) {
    const callback = given[name];
    if (callback === undefined || typeof callback === 'function') continue;
    throw new TypeError(`The option ${name} is ${kindOf(callback)}; it takes a function`);
  }
  checkSignal(given.signal as CancelSignal | undefined);
  for (const [name, methods] of Object.entries({
    cryptography: ['compute'],
    failureLimiter: ['isClosed', 'failed'],
  })) {
    const object = given[name] as Readonly<Record<string, unknown>> | undefined | null;
    if (object === undefined) continue;
    if (methods.every((method) => typeof object?.[method] === 'function')) continue;
    throw new TypeError(
      `The option ${name} takes an object with ${methods.map((each) => `${each}()`).join(' and ')}`,
    );
  }
}

/** @throws {TypeError} it is given, and no `AbortSignal` */
export function checkSignal(signal: CancelSignal | undefined): void {
  if (
    signal === undefined ||
    typeof (signal as Partial<CancelSignal> | null)?.addEventListener === 'function'
  )
    return;
  throw new TypeError('The option signal takes an AbortSignal: new AbortController().signal');
}

/** @throws {TypeError} there is none, or it is no stream */
export function checkStream(stream: ByteStream): void {
  const given = stream as Partial<ByteStream> | undefined | null;
  if (typeof given?.open === 'function' && typeof given.write === 'function') return;
  const shown = given === undefined ? 'missing' : given === null ? 'null' : 'none';
  throw new TypeError(
    `The stream is ${shown}; it takes a ByteStream, which streamOf() makes of a socket and webStream() of web streams`,
  );
}

/**
 * Checks the handlers of a server. An object literal may have nothing else; an instance of a class may have what it
 * likes, as long as no name looks like that of a handler.
 * @param authentication what is offered to clients, which takes handlers to decide on it
 * @throws {TypeError} there are none, `onMessage` is missing, one is no function, or a name is not known; or nobody decides
 *   on authentication
 */
export function checkHandlers(
  handlers: ServerHandlers | undefined,
  authentication?: ServerAuthenticationOptions,
): void {
  if (handlers === undefined || !checked.has(handlers)) checkEach(handlers);
  if (authentication) checkDecides(handlers as ServerHandlers, authentication);
}

/** Of these the application never sees a password. */
const PROVING = /^(?:SCRAM-|CRAM-MD5$)/;

function checkDecides(
  { onAuth, onCredentials }: ServerHandlers,
  { mechanisms, required = false }: ServerAuthenticationOptions,
): void {
  // Nobody can authenticate, and that is meant.
  if (mechanisms?.length === 0) return;
  const word = required ? 'required' : 'offered';
  const help = 'passwordUsers(lookup) makes onAuth and onCredentials';
  if (onAuth === undefined) {
    throw new TypeError(
      `Authentication is ${word}, but the handler onAuth, which decides on it, is missing; ${help}`,
    );
  }
  const isProving = mechanisms?.every((each) => typeof each === 'string' && PROVING.test(each)) ?? false;
  if (isProving && onCredentials === undefined) {
    throw new TypeError(
      `Authentication is ${word} by ${mechanisms?.join(', ')}, but the handler onCredentials, which these need, is missing; ${help}`,
    );
  }
}

function checkEach(handlers: ServerHandlers | undefined): asserts handlers is ServerHandlers {
  if (typeof handlers !== 'object' || handlers === null) {
    throw new TypeError('The handlers are missing; a server takes { onMessage({ body }) { … } } at least');
  }
  if (isLiteral(handlers)) checkNames('The handler', handlers, HANDLER_NAMES);
  else checkLikenesses(handlers);
  for (const name of HANDLER_NAMES) {
    const handler = handlers[name as keyof ServerHandlers] as unknown;
    if (handler === undefined && name !== 'onMessage') continue;
    if (typeof handler === 'function') continue;
    const given = handler === undefined ? 'missing' : kindOf(handler);
    throw new TypeError(`The handler ${name} is ${given}; it takes a function`);
  }
  checked.add(handlers);
}

/** Whether it is an object literal, and no instance of a class, which may have what it likes. */
export function isLiteral(given: object): boolean {
  const prototype = Object.getPrototypeOf(given);
  return prototype === Object.prototype || prototype === null;
}

function checkLikenesses(handlers: object): void {
  for (let each = handlers; each !== null && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const name of Object.getOwnPropertyNames(each)) {
      if (HANDLER_NAMES.includes(name) || !/^on[A-Z]/i.test(name)) continue;
      const nearest = nearestName(name, HANDLER_NAMES);
      if (nearest !== undefined) {
        throw new TypeError(`The handler ${name} is not known: did you mean ${nearest}?`);
      }
    }
  }
}

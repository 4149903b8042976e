/**
 * How what a handler returns or throws becomes the answer to a session's question.
 */
import {
  type Answer,
  type AuthenticationAttempt,
  type AuthenticationGrant,
  isReply,
  kindOf,
  type Question,
  Secret,
  type StoredCredentials,
  type TokenError,
  type Withheld,
} from '@sansmtp/core';
import type { ServerHandlers } from './handlers.js';

export const ACCEPT: Answer = { decision: 'accept' };
export const REJECT: Answer = { decision: 'reject' };

/** RFC 5321 §4.2.2: 451 asks the client to try again later. */
const FAULT: Answer = {
  decision: 'reject',
  reply: { code: 451, enhancedCode: '4.3.0', lines: ['Local error in processing; try again later'] },
};

/** RFC 4954 §6: the client need not take its credentials for wrong. */
const AUTHENTICATION_FAULT: Answer = {
  decision: 'reject',
  reply: {
    code: 454,
    enhancedCode: '4.7.0',
    lines: ['Temporary authentication failure; try again later'],
  },
};

/** Without a look at what was given, so that a client keeps a password that may be right (RFC 4954 §6). */
export const CLOSED_BY_LIMIT: Answer = {
  decision: 'reject',
  reply: {
    code: 454,
    enhancedCode: '4.7.0',
    lines: ['Too many failed authentications from your network; try again later'],
  },
};

/**
 * How the result of a handler becomes an answer: whatever it is, for handlers need not be compiled from TypeScript.
 * Undefined for what is no result of such a handler.
 */
export interface ResultRule {
  readonly takes: string;
  read(result: unknown): Answer | undefined;
  /** The answer where the handler throws, or returns what is no result. */
  readonly fault: Answer;
}

const DECISION: ResultRule = {
  takes: 'nothing or a Reply',
  fault: FAULT,
  read(result) {
    if (result === undefined || result === null) return ACCEPT;
    return isReply(result) ? { decision: result.code < 400 ? 'accept' : 'reject', reply: result } : undefined;
  },
};

const HELLO: ResultRule = {
  takes: 'nothing, a Reply, or { withhold: { extensions, mechanisms } } and nothing beside it',
  fault: FAULT,
  read(result) {
    if (isWithholding(result)) return { decision: 'accept', withhold: result.withhold };
    // Of a reply that has it as well, one of the two would count for nothing.
    return isReply(result) && 'withhold' in result ? undefined : DECISION.read(result);
  },
};

const MESSAGE: ResultRule = {
  takes: 'nothing, a Reply, or in LMTP a Reply for each recipient',
  fault: FAULT,
  read(result) {
    if (!Array.isArray(result)) return DECISION.read(result);
    return result.every(isReply) ? { decision: 'accept', recipientReplies: result } : undefined;
  },
};

/** Nothing does not let anybody in: it may be a check that was forgotten. */
const AUTHENTICATION: ResultRule = {
  takes:
    'true, false, a Reply, { authenticatedAs, authorizationIdentity } without control characters, or { tokenError }',
  fault: AUTHENTICATION_FAULT,
  read(result) {
    if (typeof result === 'boolean') return result ? ACCEPT : REJECT;
    if (isReply(result)) return DECISION.read(result);
    if (isGrant(result)) return { decision: 'accept', grant: result };
    return isTokenRefusal(result) ? { decision: 'reject', tokenError: result.tokenError } : undefined;
  },
};

const CREDENTIALS: ResultRule = {
  takes: 'nothing or StoredCredentials (of 4096 iterations or more)',
  fault: AUTHENTICATION_FAULT,
  read(result) {
    if (result === undefined || result === null) return REJECT;
    return isCredentials(result) ? { decision: 'accept', credentials: result } : undefined;
  },
};

/** How the handler's result answers a question of this kind. */
export function ruleFor(kind: Question['kind']): ResultRule {
  switch (kind) {
    case 'hello':
      return HELLO;
    case 'credentials':
      return CREDENTIALS;
    case 'authenticate':
      return AUTHENTICATION;
    case 'message':
      return MESSAGE;
    default:
      return DECISION;
  }
}

/**
 * Whether a handler let in the holder of a token or a certificate without a name, though the client asks to act for
 * somebody: that is refused, and whoever wrote the handler should hear why.
 */
export function isNamelessGrant(attempt: AuthenticationAttempt, { decision, grant }: Answer): boolean {
  if (decision !== 'accept' || grant?.authenticatedAs !== undefined) return false;
  if ('token' in attempt) return attempt.username !== '' && grant?.authorizationIdentity !== attempt.username;
  return (
    attempt.mechanism === 'EXTERNAL' &&
    attempt.authorizationIdentity !== undefined &&
    grant?.authorizationIdentity !== attempt.authorizationIdentity
  );
}

export function namelessGrant({ mechanism }: AuthenticationAttempt): TypeError {
  return new TypeError(
    `onAuth let somebody in by ${mechanism} without a name, and the client asks to act for one: refused; ` +
      'return { authenticatedAs } with whose token or certificate it is',
  );
}

export function misreturned(name: keyof ServerHandlers, result: unknown, takes: string): TypeError {
  if (result instanceof Error) {
    return new TypeError(`${name} returned an error; throw it to refuse, or return ${takes}`);
  }
  return new TypeError(`${name} returned ${kindOfResult(result)}; return ${takes}`);
}

/** Not what it says: it may be a password. */
function kindOfResult(result: unknown): string {
  if (result === undefined) return 'nothing';
  const kind = kindOf(result);
  return kind === 'an object' ? `${kind} of another form` : kind;
}

function isName(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && /^\P{Cc}+$/u.test(value));
}

function isGrant(value: unknown): value is AuthenticationGrant {
  if (typeof value !== 'object' || value === null) return false;
  // At least one of the two names, and nothing besides: `{ username }` would be a grant that was not meant.
  const names = Object.entries(value);
  return (
    names.some(([, name]) => name !== undefined) &&
    names.every(
      ([key, name]) => (key === 'authenticatedAs' || key === 'authorizationIdentity') && isName(name),
    )
  );
}

function isWithholding(value: unknown): value is { readonly withhold: Withheld } {
  if (typeof value !== 'object' || value === null || !('withhold' in value)) return false;
  return typeof value.withhold === 'object' && value.withhold !== null && Object.keys(value).length === 1;
}

function isTokenRefusal(value: unknown): value is { readonly tokenError: TokenError } {
  if (typeof value !== 'object' || value === null || !('tokenError' in value)) return false;
  const { tokenError } = value;
  if (typeof tokenError !== 'object' || tokenError === null || !('status' in tokenError)) return false;
  return Object.values(tokenError).every((text) => typeof text === 'string');
}

function isCredentials(value: unknown): value is StoredCredentials {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (value.kind === 'password') return 'password' in value && value.password instanceof Secret;
  if (value.kind !== 'scram') return false;
  const keys = 'storedKey' in value && 'serverKey' in value ? [value.storedKey, value.serverKey] : [];
  const salted = 'salt' in value && value.salt instanceof Uint8Array;
  const counted = 'iterations' in value && typeof value.iterations === 'number' && value.iterations >= 4096;
  return salted && counted && keys.length > 0 && keys.every((key) => key instanceof Secret);
}

export function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

/** Whether the result of a handler lets things go on: nothing, or a reply that accepts. */
export function accepts(result: unknown): boolean {
  return DECISION.read(result)?.decision === 'accept';
}

function isRejection(error: unknown): error is Error & { responseCode: number; enhancedCode?: string } {
  if (!(error instanceof Error) || !('responseCode' in error)) return false;
  return typeof error.responseCode === 'number' && error.responseCode >= 400 && error.responseCode <= 599;
}

/** What a handler threw as an answer, if it brought a reply that can be given; undefined: it is a fault. */
export function rejectionIn(error: unknown): Answer | undefined {
  if (!isRejection(error)) return undefined;
  const { responseCode: code, enhancedCode, message } = error;
  const reply = { code, ...(enhancedCode !== undefined && { enhancedCode }), lines: [message] };
  return isReply(reply) ? { decision: 'reject', reply } : undefined;
}

/** AUTH of both drivers with each other: a user, what a server keeps of them, and an application that checks it. */
import {
  type AuthenticationAttempt,
  type ClientCredentials,
  type MechanismName,
  type ScramHash,
  Secret,
  type StoredCredentials,
  scramKeys,
  type TlsInformation,
} from '@sansmtp/core';
import type { ServerHandlers } from '@sansmtp/transport';
import fc from 'fast-check';
import type { NegotiationOptions } from './negotiating.js';
import { tlsInformation } from './negotiating.js';
import { computed } from './node-cryptography.js';

export const MECHANISMS = [
  'PLAIN',
  'LOGIN',
  'CRAM-MD5',
  'SCRAM-SHA-1',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-256-PLUS',
  'XOAUTH2',
  'OAUTHBEARER',
  'EXTERNAL',
] as const satisfies readonly MechanismName[];

/** Those in which the server looks up what is kept of a password. */
export const isProven = (mechanism: MechanismName) =>
  mechanism === 'CRAM-MD5' || mechanism.startsWith('SCRAM');

export interface User {
  readonly username: string;
  /** Or the token. */
  readonly password: string;
}

/** The fewest that are allowed: they take time. */
const ITERATIONS = 4096;

/** Letters that no preparation changes (RFC 4013), syntax of the mechanisms among them. */
const letters = fc.constantFrom(...'abZ09 ,=@"\\%+/', 'ü', 'ß', 'я', '漢', '\u{10400}');
const names = fc
  .string({ unit: letters, minLength: 1, maxLength: 12 })
  .filter((text) => text.trim() === text && text !== '');

/** A user, and a password that is not theirs. */
export const users = fc
  .record({ username: names, password: names, wrong: names })
  .filter(({ password, wrong }) => password !== wrong);

/** The password goes as a token too, of the characters that one may have (RFC 6750 §2.1). */
export const tokenOf = (password: string) => Buffer.from(password).toString('hex');

export function credentialsOf(mechanism: MechanismName, { username, password }: User): ClientCredentials {
  switch (mechanism) {
    case 'EXTERNAL':
      return { kind: 'external' };
    case 'XOAUTH2':
    case 'OAUTHBEARER':
      return { kind: 'token', username, token: new Secret(tokenOf(password)) };
    default:
      return { kind: 'password', username, password: new Secret(password) };
  }
}

const hashOf = (mechanism: MechanismName): ScramHash =>
  mechanism.startsWith('SCRAM-SHA-256') ? 'SHA-256' : 'SHA-1';

/** What a server keeps: the password, or for SCRAM its keys. */
export async function storedFor(
  mechanism: MechanismName,
  password: string,
  asKeys: boolean,
): Promise<StoredCredentials> {
  const secret = new Secret(password);
  if (!asKeys || !mechanism.startsWith('SCRAM')) return { kind: 'password', password: secret };
  const salt = Uint8Array.from({ length: 16 }, (_, index) => index);
  return computed(scramKeys({ hash: hashOf(mechanism), password: secret, salt, iterations: ITERATIONS }));
}

/** An application that lets the one user in who is who they say they are; it notes what it is asked. */
export function checking(
  { username, password }: User,
  stored: StoredCredentials,
  attempts: AuthenticationAttempt[],
): Pick<ServerHandlers, 'onAuth' | 'onCredentials'> {
  return {
    onCredentials: async (request) => (request.username === username ? stored : undefined),
    async onAuth(attempt, session) {
      attempts.push(attempt);
      switch (attempt.mechanism) {
        case 'PLAIN':
        case 'LOGIN':
          return attempt.username === username && attempt.password.revealText() === password;
        case 'XOAUTH2':
        case 'OAUTHBEARER':
          if (attempt.username !== username || attempt.token.revealText() !== tokenOf(password)) return false;
          return { authenticatedAs: username };
        case 'EXTERNAL':
          if (session.tls?.peerCertificate?.subject !== `CN=${username}`) return false;
          return { authenticatedAs: username };
        default:
          return attempt.username === username;
      }
    },
  };
}

const BINDING = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);

/** The TLS of a client's end and a server's, to which an authentication can be bound; and whom the server sees. */
export function boundTls(subject: string, atServer: Partial<TlsInformation> = {}) {
  const channelBindings = { 'tls-exporter': BINDING };
  const peerCertificate = {
    subject,
    subjectAlternativeNames: [],
    fingerprint: 'f'.repeat(64),
    der: new Uint8Array(1),
    chain: [new Uint8Array(1)],
  };
  return {
    first: tlsInformation({ channelBindings }),
    second: tlsInformation({ channelBindings, peerCertificate, ...atServer }),
  };
}

/** Both ends with this mechanism alone. */
export function authenticatingBy(
  mechanism: MechanismName,
  credentials: ClientCredentials,
  { server = {}, client = {}, ...options }: NegotiationOptions = {},
): NegotiationOptions {
  const mechanisms = [mechanism];
  return {
    ...options,
    server: { authentication: { mechanisms, iterations: ITERATIONS, required: true }, ...server },
    client: { authentication: { credentials, mechanisms }, ...client },
  };
}

/**
 * The certificates of a server. smtp-server has one built in whose private key everybody knows; here one is made when
 * the process needs it, so that nobody else has its key.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import type { TlsContextSource } from '@sansmtp/transport-node';
import { generate } from 'selfsigned';
import type { SMTPServerOptions } from './types.js';

interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

let ownCertificate: Promise<CertificateAndKey> | undefined;

/** One for `localhost` that signed itself, for tests: the same as long as the process runs. */
function selfSigned(): Promise<CertificateAndKey> {
  ownCertificate ??= generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
  }).then(({ cert, private: key }) => ({ cert, key }));
  return ownCertificate;
}

/** OpenSSL resumes no session of clients with certificates without a name of ours for it. */
const SESSION_CONTEXT = 'sansmtp-smtp-server';

/** Of PEM there may be one of each, or lists of them, for types of keys, and keys may be objects. */
function pemsOf(given: TlsOptions['cert'] | TlsOptions['key']): readonly (string | Buffer)[] {
  return [given ?? []].flat().map((each) => (typeof each === 'object' && 'pem' in each ? each.pem : each));
}

/** OpenSSL holds a key against the certificate of its own type only: an RSA key beside an EC certificate it takes. */
function checkBelongTogether({ cert, key, passphrase }: TlsOptions): void {
  const keys = pemsOf(key).map((pem) =>
    createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) }),
  );
  for (const pem of pemsOf(cert)) {
    const certificate = new X509Certificate(pem);
    if (keys.length === 0 || keys.some((each) => certificate.checkPrivateKey(each))) continue;
    throw new Error("The private key is not the certificate's");
  }
}

function contextOf(options: TlsOptions): SecureContext {
  checkBelongTogether(options);
  return createSecureContext({ sessionIdContext: SESSION_CONTEXT, minVersion: 'TLSv1.2', ...options });
}

export function hasCertificate(options: SMTPServerOptions): boolean {
  return Boolean(options.key || options.cert || options.pfx);
}

/** What is shown to clients, by the name that they ask for. */
export interface Certificates {
  readonly context: TlsContextSource;
  readonly contexts: (servername: string) => Promise<TlsContextSource | undefined>;
}

/** @throws (rejects) OpenSSL's error where a certificate cannot be used, or a key is not its own */
export async function certificatesOf(options: SMTPServerOptions): Promise<Certificates> {
  const byDefault = hasCertificate(options) ? options : { ...options, ...(await selfSigned()) };
  const context = { secureContext: contextOf(byDefault) };
  const byName = new Map<string, TlsContextSource>();
  const { sniOptions = {} } = options;
  for (const [name, each] of sniOptions instanceof Map ? sniOptions : Object.entries(sniOptions)) {
    byName.set(name.toLowerCase(), { secureContext: contextOf(each) });
  }
  return { context, contexts: async (name) => (await chosen(options, name)) ?? byName.get(name) };
}

function chosen(
  { SNICallback: choose }: SMTPServerOptions,
  name: string,
): Promise<TlsContextSource | undefined> | undefined {
  if (typeof choose !== 'function') return undefined;
  return new Promise((resolve) => {
    // An error means the default certificate there, too.
    choose(name, (_error, secureContext) => resolve(secureContext && { secureContext }));
  });
}

/**
 * The certificates of a server. smtp-server has one built in whose private key everybody knows; here one is made when
 * the process needs it, so that nobody else has its key.
 */
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

function contextOf(options: TlsOptions): SecureContext {
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

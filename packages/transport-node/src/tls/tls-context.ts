/**
 * A server's certificate and key, which can be renewed while it runs: every handshake takes what stands at its
 * beginning, and the connections that stand go on. What cannot be used is refused, and the old one stays.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { checkObject, namesOf } from '@sansmtp/core';
import { TlsError } from '@sansmtp/transport';
import { checkWord } from '../option-checks.js';
import { systemCode } from '../system-error.js';

/** What a server shows to its clients. */
export interface TlsContextSource {
  /** For the handshakes that begin now. */
  readonly secureContext: SecureContext;
}

export interface TlsSettings {
  /**
   * Who may have signed the peers' certificates, in PEM.
   * @default the authorities that Node knows
   */
  readonly ca?: string | Uint8Array;
  /**
   * The oldest version to speak. Those before 1.2 are deprecated (RFC 8996), and cannot be had.
   * @default 'TLSv1.2'
   */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** A certificate, with those that lead up to its authority behind it, and its private key: both in PEM. */
export interface CertificateAndKey {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
}

/** What a server shows to its clients, replaced by hand: `createTlsContext` makes it. */
export interface TlsContext extends TlsContextSource {
  /**
   * Shows another certificate from the next handshake on.
   * @throws {TlsError} when it cannot be used, or the key is not its own: the old one stays
   */
  replace(certificateAndKey: CertificateAndKey): void;
}

export interface TlsContextFromFiles extends TlsContextSource {
  /**
   * Reads the files again. Rejects as `tlsContextFromFiles` does, and the old certificate stays.
   */
  reload(): Promise<void>;
}

/** Sessions may be resumed only where they began: OpenSSL refuses to, when clients show certificates, without this. */
const SESSION_CONTEXT = 'sansmtp';

/** OpenSSL holds it against a key of the same type only: an RSA key beside an EC certificate it takes for another. */
function checkBelongTogether({ cert, key }: CertificateAndKey): void {
  const certificate = new X509Certificate(Buffer.from(cert));
  if (certificate.checkPrivateKey(createPrivateKey(Buffer.from(key)))) return;
  throw new Error("the private key is not the certificate's");
}

/** OpenSSL passes over what it cannot read, and then trusts nobody: that would look like the peers' fault. */
function checkAuthorities(ca: string | Uint8Array): void {
  try {
    new X509Certificate(Buffer.from(ca));
  } catch (error) {
    throw new TlsError('The option ca does not begin with a certificate in PEM that can be read', undefined, {
      cause: error,
    });
  }
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'];

/**
 * @throws {TlsError} when the certificate, the key or the authorities cannot be used
 * @throws {RangeError} when `minVersion` is none
 */
export function secureContextOf(settings: TlsSettings & Partial<CertificateAndKey>): SecureContext {
  const { cert, key, ca, minVersion = 'TLSv1.2' } = settings;
  checkWord('minVersion', minVersion, VERSIONS);
  if (ca !== undefined) checkAuthorities(ca);
  try {
    if (cert !== undefined && key !== undefined) checkBelongTogether({ cert, key });
    return createSecureContext({
      minVersion,
      sessionIdContext: SESSION_CONTEXT,
      ...(cert !== undefined && { cert: Buffer.from(cert) }),
      ...(key !== undefined && { key: Buffer.from(key) }),
      ...(ca !== undefined && { ca: Buffer.from(ca) }),
    });
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new TlsError(`The certificate and its key cannot be used: ${words}`, systemCode(error), {
      cause: error,
    });
  }
}

const CONTEXT_NAMES = namesOf<CertificateAndKey & TlsSettings>({
  cert: true,
  key: true,
  ca: true,
  minVersion: true,
});

/** Without them every handshake would fail. */
function checkCertificateAndKey(given: CertificateAndKey): void {
  for (const name of ['cert', 'key'] as const) {
    const value: unknown = given[name];
    if ((typeof value === 'string' || value instanceof Uint8Array) && value.length !== 0) continue;
    throw new TypeError(
      `The option ${name} is ${value === undefined ? 'missing' : 'no PEM'}; it takes the ${name === 'cert' ? 'certificate' : 'private key'} in PEM, as text or octets`,
    );
  }
}

/**
 * @throws {TlsError} when the certificate cannot be used, the key is not its own, or `ca` holds none
 * @throws {RangeError} when `minVersion` is none of the two
 * @throws {TypeError} when one of them is missing, or an option is not known
 */
export function createTlsContext(options: CertificateAndKey & TlsSettings): TlsContext {
  checkObject('The option', options, CONTEXT_NAMES);
  checkCertificateAndKey(options);
  let secureContext = secureContextOf(options);
  return {
    get secureContext() {
      return secureContext;
    },
    replace({ cert, key }) {
      checkCertificateAndKey({ cert, key });
      secureContext = secureContextOf({ ...options, cert, key });
    },
  };
}

async function readBoth(certFile: string, keyFile: string): Promise<CertificateAndKey> {
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  return { cert, key };
}

function checkFile(name: string, file: string): void {
  if (typeof file === 'string' && file !== '') return;
  throw new TypeError(
    `${name} is ${file === '' ? 'empty' : 'missing'}; tlsContextFromFiles(certFile, keyFile) takes the paths of two files in PEM`,
  );
}

/**
 * A context that is read from two PEM files: call `reload()` when they have changed.
 * @throws the system's error when a file cannot be read: `ENOENT`, `EACCES`, …
 * @throws {TlsError} when the certificate cannot be used, or the key is not its own
 */
export async function tlsContextFromFiles(
  certFile: string,
  keyFile: string,
  settings: TlsSettings = {},
): Promise<TlsContextFromFiles> {
  checkFile('certFile', certFile);
  checkFile('keyFile', keyFile);
  const context = createTlsContext({ ...settings, ...(await readBoth(certFile, keyFile)) });
  return {
    get secureContext() {
      return context.secureContext;
    },
    async reload() {
      context.replace(await readBoth(certFile, keyFile));
    },
  };
}

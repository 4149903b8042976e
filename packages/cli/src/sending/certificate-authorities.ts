/** Who may have signed the certificates of servers, as `--tls-ca` names them: certificates in PEM (RFC 7468 §5). */
import { X509Certificate } from 'node:crypto';
import { readOptionFile } from '../option-file.js';

const BEGIN = '-----BEGIN CERTIFICATE-----';

/** OpenSSL passes over what it cannot read, and then trusts nobody: that would look like the server's fault. */
function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/**
 * What stands in the file. Text between the certificates is allowed (RFC 7468 §2).
 * @throws {RangeError} it cannot be read, or holds no certificate, or one that cannot be read
 */
export async function readAuthorities(path: string): Promise<string> {
  const text = (await readOptionFile('--tls-ca', path)).toString();
  const certificates = text
    .split(BEGIN)
    .slice(1)
    .map((rest) => BEGIN + rest);
  if (certificates.length === 0) {
    throw new RangeError(`--tls-ca: there is no certificate in PEM in ${path}`);
  }
  const unreadable = certificates.findIndex((certificate) => !isCertificate(certificate));
  if (unreadable < 0) return text;
  throw new RangeError(`--tls-ca: certificate number ${unreadable + 1} in ${path} cannot be read`);
}

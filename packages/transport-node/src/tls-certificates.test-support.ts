/** Certificates for tests, made when they run. */
import { generate } from 'selfsigned';

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate for this name, which signed itself unless an authority is given. */
export async function generateCertificate(
  name: string,
  options: Parameters<typeof generate>[1] = {},
): Promise<TestCertificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...options,
  });
  return { cert: made.cert, key: made.private };
}

/** A certificate for the time of one measurement, by the openssl command. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Writes a certificate for `localhost` and its key. */
export async function makeCertificate(certificate: string, key: string): Promise<void> {
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const files = ['-keyout', key, '-out', certificate];
  const child = spawn('openssl', [...args, ...files, '-days', '1', '-subj', '/CN=localhost'], {
    stdio: 'ignore',
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`openssl ended with ${code}`);
}

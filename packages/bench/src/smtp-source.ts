/** Postfix's smtp-source, by which servers get their loads. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

/** Runs it to its end, at a server on this host; seconds. */
export async function runSmtpSource(args: readonly string[], port: number): Promise<number> {
  const start = performance.now();
  const child = spawn('smtp-source', [...args, `127.0.0.1:${port}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`smtp-source ended with ${code}, at port ${port}`);
  return (performance.now() - start) / 1000;
}

/** Of Postfix, whose smtp-source and smtp-sink have no version of their own. */
export async function postfixVersion(): Promise<string> {
  return (await promisify(execFile)('postconf', ['-d', '-h', 'mail_version'])).stdout.trim();
}

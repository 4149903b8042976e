/** Postfix's smtp-source, by which servers get their loads. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

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

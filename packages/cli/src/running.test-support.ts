/** Runs the command within the test's own process. */
import { Readable, Writable } from 'node:stream';
import { run } from './program.js';

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

function collector(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

export async function sansmtp(words: readonly string[], input: Uint8Array | string = ''): Promise<Result> {
  const [out, err] = [collector(), collector()];
  const stdin = Readable.from([Buffer.from(input)]);
  const terminal = { stdin, stdout: out.stream, stderr: err.stream, exitCode: 0 };
  await run(words, terminal);
  return { stdout: out.text(), stderr: err.text(), exitCode: terminal.exitCode };
}

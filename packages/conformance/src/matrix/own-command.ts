/**
 * Runs `sansmtp` within this process: its main function gets the words of the command line. To start a process takes a second,
 * and there are hundreds of cases.
 */
import { Readable, Writable } from 'node:stream';
import { CommandFailed, type RunToEnd } from '../clients/client-command.js';

interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  exitCode: number;
}

type Main = (words: readonly string[], terminal: Terminal) => Promise<void>;

/** Beside this package in its repository; what is published does not have the matrix. */
const PROGRAM = new URL('../../../cli/dist/program.js', import.meta.url);

/** @param words the program that would be started and its script first, as in the command */
export const runOwnCommand: RunToEnd = async (words, { message }) => {
  const { run } = (await import(PROGRAM.href)) as { readonly run: Main };
  const printed: Buffer[] = [];
  const collector = () =>
    new Writable({
      write(octets, _encoding, done) {
        printed.push(Buffer.from(octets));
        done();
      },
    });
  const stdin = Readable.from([Buffer.from(message)]);
  const terminal: Terminal = { stdin, stdout: collector(), stderr: collector(), exitCode: 0 };
  await run(words.slice(2), terminal);
  const text = Buffer.concat(printed).toString('utf8');
  if (terminal.exitCode !== 0) throw new CommandFailed(terminal.exitCode, text);
  return text;
};

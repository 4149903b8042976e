/** The process: its arguments and streams to the program, the program's exit code to the shell. */
import { exitCodes } from './exit-codes.js';
import { run } from './program.js';

const { stdin, stdout, stderr } = process;
const terminal = { stdin, stdout, stderr, exitCode: 0 };

// A server goes on though nobody keeps its log, on a full disk say, and a message under way is delivered.
stderr.on('error', () => undefined);

stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Who reads the results may have had enough, as `head` has.
  if (error.code === 'EPIPE') return;
  stderr.write(`error: The results cannot be written: ${error.message}\n`);
  terminal.exitCode ||= exitCodes.notWritten;
  process.exitCode ||= exitCodes.notWritten;
});

await run(process.argv.slice(2), terminal);
process.exitCode = terminal.exitCode;

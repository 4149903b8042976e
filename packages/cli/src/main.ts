/** The process: its arguments and streams to the program, the program's exit code to the shell. */
import { run } from './program.js';

const { stdin, stdout, stderr } = process;

// Who reads the results may have had enough, as `head` has, and a server goes on when nobody reads its log.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const terminal = { stdin, stdout, stderr, exitCode: 0 };
await run(process.argv.slice(2), terminal);
process.exitCode = terminal.exitCode;

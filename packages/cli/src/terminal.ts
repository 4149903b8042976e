/** Where a command reads from and writes to, and what it leaves behind. */
import type { Readable, Writable } from 'node:stream';

export interface Terminal {
  readonly stdin: Readable;
  /** For results, which scripts read. */
  readonly stdout: Writable;
  /** For logs and errors, which people read. */
  readonly stderr: Writable;
  /** The code with which the process is to exit. */
  exitCode: number;
}

/** The text on one line: whatever might end it, steer a terminal, or turn the order of what is shown, becomes `?`. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '?');
}

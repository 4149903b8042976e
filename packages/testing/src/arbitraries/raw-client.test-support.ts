/** A client that says what it is told to, and judges nothing. */
import { concatenate } from '@sansmtp/core';
import type { ByteStream } from '@sansmtp/transport';
import type { Chunking } from './chunkings.js';
import { type ClientDialogue, octetsOfMessage, octetsOfStep } from './dialogues.js';

const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

/** Plays a dialogue to its end, or until the server leaves. Resolves with all replies. */
export async function play(
  stream: ByteStream,
  { steps }: ClientDialogue,
  chunks: Chunking,
): Promise<string[]> {
  let heard = '';
  let closed = false;
  let wake = () => {};
  stream.open({
    data(octets) {
      heard += text(octets);
      wake();
    },
    end: () => stream.end(),
    drain: () => {},
    secure: () => wake(),
    close() {
      closed = true;
      wake();
    },
  });
  const replies: string[] = [];
  const reply = async (): Promise<string> => {
    for (;;) {
      const whole = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(heard)?.[0];
      if (whole !== undefined) {
        heard = heard.slice(whole.length);
        replies.push(whole);
        return whole;
      }
      if (closed) return '';
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const say = (octets: Uint8Array) => {
    for (const chunk of chunks.cut(octets)) stream.write(chunk);
  };
  await reply();
  for (const step of steps) {
    if (closed) break;
    say(octetsOfStep(step));
    let answer = await reply();
    if (step.kind === 'data' && answer.startsWith('354')) {
      say(octetsOfMessage(step.message));
      await reply();
    }
    if (step.kind === 'startTls' && answer.startsWith('220')) {
      stream.startTls();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    for (const response of step.kind === 'command' ? (step.responses ?? []) : []) {
      if (!answer.startsWith('334')) break;
      say(concatenate([Buffer.from(`${response}\r\n`)]));
      answer = await reply();
    }
  }
  stream.end();
  return replies;
}

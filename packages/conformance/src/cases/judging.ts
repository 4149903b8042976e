/** What many cases judge: that a line is taken, that it is refused, that the session goes on. */
import type { Dialogue } from '../dialogue/dialogue.js';
import { CannotJudge, Deviation } from '../dialogue/findings.js';
import { announcesLimit, type SeenReply, shown } from '../dialogue/seen-reply.js';

/** Whether a refusal says that the line is not understood, and not that the address is not wanted. */
function isAboutSyntax({ code, enhancedCode }: SeenReply): boolean {
  if (enhancedCode !== undefined) return /^5\.(?:5\.|1\.[37]$)/.test(enhancedCode);
  return (code >= 500 && code <= 504) || code === 555;
}

/**
 * Judges that the server understands a valid line. A refusal by policy says nothing about that.
 * @throws {Deviation} it says that the line is wrong
 * @throws {CannotJudge} it refuses for another reason
 */
export async function understands(dialogue: Dialogue, line: string | Uint8Array): Promise<void> {
  if (typeof line === 'string') dialogue.say(line);
  else dialogue.send(line);
  const reply = await dialogue.reply('any');
  if (reply.code < 300) return;
  if (isAboutSyntax(reply)) throw new Deviation(`the line is valid, and was not understood: ${shown(reply)}`);
  throw new CannotJudge(`it may be a matter of policy: ${shown(reply)}`);
}

/**
 * Whether the server accepts what it was told. By 221 it says that it closes: whoever hangs up on what is no QUIT takes
 * nothing.
 */
export const accepts = ({ code }: SeenReply): boolean => code < 400 && code !== 221;

/**
 * Judges that a line is refused for good, be it by 221 to what is no QUIT.
 * @throws {CannotJudge} it is refused for now
 */
export async function refuses(dialogue: Dialogue, line: string | Uint8Array): Promise<void> {
  if (typeof line === 'string') dialogue.say(line);
  else dialogue.send(line);
  const reply = await dialogue.reply('any');
  const hangsUp = reply.code === 221 && typeof line === 'string' && !/^QUIT/i.test(line);
  if (reply.code >= 500 || hangsUp) return;
  if (announcesLimit(reply) || reply.code >= 400)
    throw new CannotJudge(`it was refused for now: ${shown(reply)}`);
  throw new Deviation(`it was to be refused; the server said ${shown(reply)}`);
}

/** Judges that the session goes on. */
export async function goesOn(dialogue: Dialogue): Promise<void> {
  await dialogue.ask('NOOP', '250');
}

/**
 * Judges that nothing was said beyond what was due: the reply to a last QUIT comes next. Replies come in order, so that this
 * holds for a slow server as well. Whatever the server makes of QUIT, the session is over.
 */
export async function nothingMore(dialogue: Dialogue): Promise<void> {
  await dialogue.ask('QUIT', '221');
}

/** Reads as many replies as there were commands, and judges their codes in their order. */
export async function inOrder(
  dialogue: Dialogue,
  expectations: readonly string[],
): Promise<readonly SeenReply[]> {
  const replies: SeenReply[] = [];
  for (const expectation of expectations) replies.push(await dialogue.reply(expectation));
  return replies;
}

/** Octets of a text in which each character is one octet. */
export const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** `text` over and over, cut to `length`. */
export const filled = (length: number, text = 'a'): string =>
  text.repeat(Math.ceil(length / text.length)).slice(0, length);

/** A command line as words, without a shell: quotation marks and backslashes keep what they enclose, nothing is expanded. */

/**
 * Splits a command line.
 * @throws {RangeError} it has no word, or a quotation mark without its partner
 */
export function wordsOf(commandLine: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < commandLine.length; at++) {
    const char = commandLine[at] as string;
    if (char === '\\' && quote !== "'" && at + 1 < commandLine.length)
      word = (word ?? '') + commandLine[++at];
    else if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== undefined)
    throw new RangeError(`The command has a ${quote} without its partner: ${commandLine}`);
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw new RangeError('The command is empty');
  return words;
}

/** What stands for a placeholder. */
export interface Placeholders {
  readonly host: string;
  readonly port: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly file: string;
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  readonly passwordfile: string;
}

const NAMES = [
  'host',
  'port',
  'from',
  'to',
  'recipients',
  'file',
  'ca',
  'user',
  'password',
  'passwordfile',
] as const;

/**
 * Puts values into words. A word with `{to}` comes once for each recipient, together with the option before it: `--to {to}`
 * becomes `--to a --to b`. `{recipients}` are all of them, with commas.
 * @throws {RangeError} a placeholder is not known
 */
export function filledIn(words: readonly string[], values: Placeholders): readonly string[] {
  const fill = (word: string, to: string) =>
    word.replace(/\{([a-z]+)\}/g, (_, name: string) => {
      if (name === 'to') return to;
      if (name === 'recipients') return values.to.join(',');
      return values[name as 'host'];
    });
  const filled: string[] = [];
  for (const [index, word] of words.entries()) {
    const before = words[index - 1] ?? '';
    const isOption = /^-[^=]*$/.test(before) && before !== '--' && index > 1;
    const recipients = word.includes('{to}') ? values.to : [''];
    for (const [turn, to] of recipients.entries()) {
      if (turn > 0 && isOption) filled.push(before);
      filled.push(fill(word, to));
    }
  }
  return filled;
}

/**
 * Looks at the placeholders of a command before it is run.
 * @throws {RangeError} one is not known, or the command is not told where to connect to
 */
export function checkPlaceholders(words: readonly string[]): void {
  const found = words.flatMap((word) => [...word.matchAll(/\{([a-z]+)\}/g)].map(([, name = '']) => name));
  const unknown = found.find((name) => !NAMES.some((known) => known === name));
  if (unknown !== undefined) {
    throw new RangeError(
      `{${unknown}} is no placeholder; there are ${NAMES.map((name) => `{${name}}`).join(', ')}`,
    );
  }
  if (!found.includes('port')) {
    throw new RangeError('The command has no {port}: it would not connect to the server that judges it');
  }
}

/** What `npm run fuzz` can be told. */
import { parseArgs } from 'node:util';

export const HELP = `npm run fuzz -- [options]

--seconds S   how long, half of it for floods; a flood that has begun is poured to its end (default: 60)
--seed N      the same stories and the same order of floods again (default: another one each time)
--replay FILE run a stored story, and nothing else
--keep FOLDER store what led to a place to which nothing else had led
--flood TEXT  pour the floods whose names hold this text, and nothing else; '' for all of them
--octets N    pour floods of this size only (default: 16384, 1048576 and 10485760)

Exits by 1 if there was a fault.`;

export interface FuzzOptions {
  readonly help: boolean;
  readonly seconds: number;
  readonly seed: number;
  readonly replay: string | undefined;
  readonly keep: string | undefined;
  readonly flood: string | undefined;
  readonly octets: number | undefined;
}

/**
 * @throws {TypeError} an option is not known, or lacks its value
 * @throws {RangeError} a number is none, or out of its range
 */
export function readOptions(args: readonly string[]): FuzzOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      replay: { type: 'string' },
      keep: { type: 'string' },
      flood: { type: 'string' },
      octets: { type: 'string' },
    },
  });
  const { help, seconds, seed, replay, keep, flood, octets } = values;
  return {
    help,
    seconds: numberOf('--seconds', seconds, 0),
    seed: numberOf('--seed', seed, 0),
    replay,
    keep,
    flood,
    // Of which the short one is a sixteenth.
    octets: octets === undefined ? undefined : numberOf('--octets', octets, 16),
  };
}

function numberOf(name: string, text: string, least: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= least) return number;
  throw new RangeError(`${name} is ${JSON.stringify(text)}; it takes a whole number from ${least} on`);
}

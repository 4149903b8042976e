/** The keys of `--dkim`, read from their files. */
import { createDkimSigner, type DkimSigner } from '@sansmtp/queue';
import { readOptionFile } from '../option-file.js';
import type { DkimOption } from './dkim-option.js';

/**
 * What signs with these keys, as their files say now.
 * @throws {RangeError} a file cannot be read, or holds no key: the message names the option
 */
export async function readDkimSigner(options: readonly DkimOption[]): Promise<DkimSigner> {
  const keys = await Promise.all(
    options.map(async ({ domain, selector, keyFile }) => ({
      domain,
      selector,
      privateKey: (await readOptionFile('--dkim', keyFile)).toString(),
    })),
  );
  try {
    return createDkimSigner(keys);
  } catch (error) {
    throw new RangeError(`--dkim: ${(error as Error).message}`, { cause: error });
  }
}

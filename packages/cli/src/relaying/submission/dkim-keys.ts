/** The keys of `--dkim`, read from their files. */
import { createDkimSigner, type DkimKey, type DkimSigner } from '@sansmtp/queue';
import { readOptionFile } from '../../option-file.js';
import type { DkimOption } from './dkim-option.js';

const HOW_TO_MAKE_ONE = 'openssl genrsa 2048 makes one';

/**
 * What signs with these keys, as their files say now.
 * @throws {RangeError} a file cannot be read, or holds no key: the message names the option and the file
 */
export async function readDkimSigner(options: readonly DkimOption[]): Promise<DkimSigner> {
  const keys: DkimKey[] = [];
  for (const { domain, selector, keyFile } of options) {
    const key = { domain, selector, privateKey: (await readOptionFile('--dkim', keyFile)).toString() };
    try {
      createDkimSigner([key]);
    } catch (error) {
      throw new RangeError(`--dkim: ${keyFile}: ${(error as Error).message} (${HOW_TO_MAKE_ONE})`, {
        cause: error,
      });
    }
    keys.push(key);
  }
  return createDkimSigner(keys);
}
